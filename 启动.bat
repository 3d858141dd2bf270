@echo off
rem Opens Tacha; a county folder may be dropped on this file. Needs Python 3.11 or the conda environment, no administrator.
chcp 65001 >nul
setlocal
set "PYTHONUTF8=1"
set "HERE=%~dp0"
set "TRY=import sys; sys.exit(sys.version_info[:2] != (3, 11))"
if exist "%HERE%.venv\Scripts\python.exe" goto own
if defined CONDA_PREFIX if exist "%CONDA_PREFIX%\python.exe" goto conda
py -3.11 -c "%TRY%" >nul 2>nul
if not errorlevel 1 goto launcher
python -c "%TRY%" >nul 2>nul
if not errorlevel 1 goto path
echo 没有找到 Python 3.11。请安装（勾选 Add to PATH），或用 conda env create -f environment.yml 建好环境并激活后再启动。
echo Python 3.11 was not found. Install it, or run conda env create -f environment.yml, activate it and start again.
pause
exit /b 1
:own
"%HERE%.venv\Scripts\python.exe" "%HERE%start.py" %*
goto end
:conda
"%CONDA_PREFIX%\python.exe" "%HERE%start.py" %*
goto end
:launcher
py -3.11 "%HERE%start.py" %*
goto end
:path
python "%HERE%start.py" %*
:end
if errorlevel 1 pause
