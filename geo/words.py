"""
Every sentence Tacha says, in Chinese and English, by code. Errors and refusals carry a code and its fields.

Add a line here before raising a new code: a test finds codes without words, and blanks that differ between languages.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

Language = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = {
    # crs, grid, schema
    "crs_missing": ("{what}：没有坐标系，请用 --datum 说明", "{what}: no coordinate system; say which with --datum"),
    "crs_not_metric": ("{what}：坐标系 {crs} 不以米为单位", "{what}: coordinate system {crs} is not in metres"),
    "grid_shape": ("栅格数值 {values} 与范围 {frame} 不符", "raster values {values} do not fit the frame {frame}"),
    "grid_mismatch": ("两个栅格范围不同：{one} 与 {other}", "two rasters lie differently: {one} and {other}"),
    "columns_missing": ("图层 {layer} 缺少列：{columns}", "layer {layer} lacks columns: {columns}"),
    "rows_bad": (
        "图层 {layer} 有 {n} 行不合要求，第一处：第 {row} 行 {field}（{reason}）",
        "layer {layer}: {n} rows break the contract, first row {row}, {field} ({reason})",
    ),
    "value_missing": ("缺少数值", "value missing"),
    "value_unknown": ("“{value}”不在允许的值内（{known}）", '"{value}" is not one of {known}'),
    "value_low": ("{value} 小于 {low}", "{value} is below {low}"),
    "value_high": ("{value} 大于 {high}", "{value} is above {high}"),
    "duplicate": ("重复记录 {value}，已有", "duplicate of {value}, already there"),
    "geometry_missing": ("没有图形", "no geometry"),
    "geometry_kind": ("图形类型 {kind}，应为 {wanted}", "geometry is {kind}, wanted {wanted}"),
    "geometry_invalid": ("图形有误：{why}", "invalid geometry: {why}"),
    # formats
    "file_missing": ("{file}：文件不存在", "{file}: no such file"),
    "file_empty": ("{file}：文件是空的", "{file}: the file is empty"),
    "file_too_large": ("{file}：文件超过 {cap} MB", "{file}: larger than {cap} MB"),
    "file_breaks_off": ("文件在第 {byte} 字节处中断", "ends at byte {byte}"),
    "format_unknown": ("{file}：不是能识别的格式", "{file}: not a format this program reads"),
    "format_not_for_layer": ("{file}：{kind} 不能作为图层 {layer} 导入", "{file}: {kind} cannot be imported as {layer}"),
    "doctype_refused": ("{file}：含 DOCTYPE 或实体定义，拒绝读取", "{file}: declares a DOCTYPE or entities, refused"),
    "not_xml": ("{file}：不是完整的 XML（{why}）", "{file}: not readable XML ({why})"),
    "unreadable": ("{file}：无法读取（{why}）", "{file}: cannot be read ({why})"),
    "layer_unknown": ("没有图层 {layer}", "there is no layer {layer}"),
    "zip_broken": ("{file}：压缩包损坏", "{file}: damaged zip archive"),
    "zip_encrypted": ("{file}：压缩包有密码", "{file}: the zip archive is encrypted"),
    "zip_too_large": ("{file}：压缩包解开后过大（上限 {cap} MB）", "{file}: unpacks too large (limit {cap} MB)"),
    "zip_no_layer": ("{file}：压缩包内没有可读的图层", "{file}: no readable layer inside the zip archive"),
    "shapefile_part": ("{file}：请选择同名的 .shp 文件", "{file}: choose the .shp file of the same name"),
    "table_too_large": ("{file}：表格过大（上限 {cap}）", "{file}: the table is too large (limit {cap})"),
    "table_no_columns": ("{file}：找不到列 {columns}", "{file}: no column {columns} found"),
    "encoding_bad": ("{file}：文字编码 {encoding} 不适用", "{file}: text is not in encoding {encoding}"),
    "datum_needed": (
        "{file}：没有说明坐标系，请选择 WGS84、CGCS2000、GCJ-02（火星坐标）或其他",
        "{file}: does not say its datum; choose wgs84, cgcs2000, gcj02, bd09 or epsg:NNNN",
    ),
    "datum_unknown": ("不认识坐标系 {datum}", "unknown datum {datum}"),
    "datum_unsupported": (
        "坐标系 {datum} 需要当地转换参数，请先转换为 CGCS2000",
        "datum {datum} needs local parameters; convert to CGCS2000 first",
    ),
    "timezone_unknown": ("不认识时区 {zone}", "unknown time zone {zone}"),
    "coordinate_bad": ("坐标“{value}”不是数字", 'coordinate "{value}" is not a number'),
    "coordinate_range": ("坐标超出地球范围", "coordinate outside the earth's range"),
    "coordinate_zero": ("坐标为 0, 0（未定位）", "place is 0, 0 (no position fix)"),
    "outside_crs": ("坐标超出本县坐标系的范围", "place cannot be expressed in the county's coordinate system"),
    "untimed": ("没有时间，不能算作踏查轨迹", "has no time, so it is no record of a patrol"),
    "time_bad": ("时间“{value}”不可信", 'time "{value}" is not credible'),
    "time_naive": ("时间“{value}”没有时区，请用 --timezone 说明", 'time "{value}" has no zone; say which with --timezone'),
    "geometry_bad": ("图形无法读取（{why}）", "geometry cannot be read ({why})"),
    "record_bad": ("记录无法读取（{why}）", "record cannot be read ({why})"),
    "geometry_repaired": ("{n} 个图形有误，已修复", "{n} invalid geometries were repaired"),
    "line_dangling": ("界线没有围成乡镇", "boundary line encloses no township"),
    "raster_too_large": ("{file}：栅格过大（上限 {cap} 百万像元）", "{file}: raster too large (limit {cap} million cells)"),
    "raster_void": ("{file}：栅格没有有效数值", "{file}: the raster holds no values"),
    "raster_outside": ("{file}：栅格不在本县范围内", "{file}: the raster lies outside this county"),
    "export_range": ("坐标 {place} 不能写成 WGS84 经纬度", "place {place} cannot be written as WGS 84 degrees"),
    # store, ledger
    "store_missing": ("{path} 不是县文件夹，请先用 tacha new 新建", "{path} is not a county folder; make one with tacha new"),
    "store_exists": ("{path} 已有一个县，未作改动", "{path} already holds a county; nothing was changed"),
    "store_foreign": ("{path} 不是踏查的县数据库", "{path} is not a county database of Tacha"),
    "store_newer": (
        "{path} 由较新的版本写成（{version}），本程序只认到 {known}",
        "{path} was written by a newer version ({version}); this one knows up to {known}",
    ),
    "store_busy": ("{path} 正被占用，请稍后再试", "{path} is in use; try again in a moment"),
    "store_refuses": ("{path} 无法读写：{why}", "{path} cannot be read or written: {why}"),
    "store_moved": ("数据刚被他人改动，请重试", "somebody changed the data meanwhile; try again"),
    "settings_bad": ("{file} 有误：{why}", "{file} is wrong: {why}"),
    "layer_unknown": ("没有图层 {layer}（{known}）", "there is no layer {layer} ({known})"),
    "crs_differs": ("图层 {layer} 的坐标系是 {crs}，应为 {wanted}", "layer {layer} is in {crs}, wanted {wanted}"),
    "key_exists": ("图层 {layer} 已有编号 {key}（共 {n} 条）", "layer {layer} already has {key} ({n} in all)"),
    "value_unstorable": ("{where} 的值 {value} 无法保存", "{where}: {value} cannot be stored"),
    "grid_missing": ("没有栅格 {name}", "there is no raster {name}"),
    "grid_unreadable": ("栅格 {name} 无法读取：{why}", "raster {name} cannot be read: {why}"),
    "ledger_gap": ("台账缺第 {seq} 条，下一条是 {got}", "ledger entry {seq} is missing; the next is {got}"),
    "ledger_link": ("台账第 {seq} 条接不上前一条", "ledger entry {seq} does not follow the one before it"),
    "ledger_hash": ("台账第 {seq} 条被改动", "ledger entry {seq} was changed"),
    "ledger_head": ("台账中没有已公布的校验值 {head}", "the ledger does not hold the published head {head}"),
    "ledger_unreadable": ("台账无法读取：{why}", "the ledger cannot be read: {why}"),
    "row_changed": ("{layer} 的 {key} 与台账不符", "{layer} {key} differs from the ledger"),
    "row_extra": ("{layer} 的 {key} 不在台账中", "{layer} {key} is not in the ledger"),
    "row_missing": ("台账中 {layer} 的 {key} 不见了", "{layer} {key} is in the ledger but gone"),
    "table_unreadable": ("{layer} 无法读取：{why}", "{layer} cannot be read: {why}"),
    # analysis, planning
    "no_plantable": ("没有可种植的土地", "no ground where anything could be planted"),
    "no_track": ("本年度无轨迹，不能计算", "no track this season; cannot be computed"),
    "find_open": ("有未核实铲除的发现，把握度为 0", "a find is not yet destroyed and verified; the probability is 0"),
    "ceiling": ("仅靠踏查本期内达不到目标", "out of reach by walking alone in this period"),
    "courtyards_unknown": (
        "庭院总数不明，其风险份额按未查看计",
        "number of courtyards unknown; their share of the risk counts as unseen",
    ),
    # workspace, cli
    "record_field_unknown": ("不认识的字段 {field}（{known}）", "unknown field {field} ({known})"),
    "record_value_bad": ("{field} 的值“{value}”无效", '{field}: "{value}" is not a valid value'),
    "record_value_missing": ("请填写 {field}", "{field} is missing"),
    "record_value_unknown": (
        "{field} 的值“{value}”不在允许的值内（{known}）",
        '{field}: "{value}" is not one of {known}',
    ),
    "record_value_low": ("{field} 的值 {value} 小于 {low}", "{field}: {value} is below {low}"),
    "record_value_high": ("{field} 的值 {value} 大于 {high}", "{field}: {value} is above {high}"),
    "record_geometry_missing": (
        "请填写经纬度，或说明是哪个疑似地块",
        "give longitude and latitude, or the parcel",
    ),
    "record_geometry_kind": ("图形类型 {kind}，应为 {wanted}", "geometry is {kind}, wanted {wanted}"),
    "record_geometry_invalid": ("图形有误：{why}", "invalid geometry: {why}"),
    "time_naive": ("{field} 的时间 {value} 没有时区", "{field}: {value} has no time zone"),
    "time_future": ("{field} 的时间 {value} 还没有到", "{field}: {value} lies in the future"),
    "time_backwards": ("{later} 早于 {earlier}", "{later} lies before {earlier}"),
    "place_half": ("经度和纬度须同时填写", "longitude and latitude go together"),
    "place_outside": ("坐标 {place} 不是有效的位置", "{place} is not a valid place"),
    "visit_nowhere": (
        "请说明踏查的是哪个疑似地块、哪个村或哪个位置",
        "say which parcel, village or place was visited",
    ),
    "reason_missing": ("核查排除须写明理由和疑似地块", "a dismissal needs its reason and its parcel"),
    "parcel_unknown": ("没有疑似地块 {value}", "there is no parcel {value}"),
    "village_unknown": ("没有村 {value}", "there is no village {value}"),
    "team_unknown": ("没有队伍 {value}", "there is no team {value}"),
    "track_unknown": ("没有轨迹 {value}，请先导入轨迹", "there is no track {value}; import it first"),
    "visit_unknown": ("没有踏查记录 {value}", "there is no visit {value}"),
    "find_unknown": ("没有发现记录 {value}", "there is no find {value}"),
    "track_missing": (
        "A 类证据须有轨迹编号；没有轨迹请选 B 或 C",
        "evidence A needs a track; without one choose B or C",
    ),
    "parcel_move": ("疑似地块 {parcel} 现为 {status}，不能改为 {wanted}", "parcel {parcel} is {status} and cannot become {wanted}"),
    "plants_uncounted": (
        "铲除前必须清点株数：株数为 0 不能登记铲除",
        "count the plants before destroying them: a destroyed find cannot have 0 plants",
    ),
    "destruction_unclear": (
        "登记铲除须同时有铲除方式、铲除率（大于 0）和铲除时间",
        "a destruction needs its method, a fraction above 0 and its time together",
    ),
    "find_standing": ("发现 {find} 尚未铲净，不能核验", "find {find} is not wholly destroyed; it cannot be verified"),
    # screens
    "asset_unknown": ("地图想从外网取 {url}，已拒绝", "the map wants {url} from outside; refused"),
    "asset_wrong": (
        "{name}：缺失或与登记的校验值不符，请重新执行 npm ci --ignore-scripts",
        "{name}: missing or not the listed file; run npm ci --ignore-scripts again",
    ),
    "ui_assets_missing": (
        "地图组件未安装：npm ci --ignore-scripts && python -m geo.ui.vendor",
        "the map's scripts are not in place: npm ci --ignore-scripts && python -m geo.ui.vendor",
    ),
    "ui_port_wrong": ("端口应为数字：{port}", "the port must be a number: {port}"),
    "ui_title": ("踏查", "Tacha"),
    "ui_map": ("地图", "Map"),
    "ui_record": ("登记", "Record"),
    "ui_committee": ("评估", "Committee"),
    "ui_made_up": ("演示数据，纯属虚构", "Demonstration data, made up"),
    "ui_no_county": (
        "还没有打开县。先执行 tacha demo 目录 或 tacha new，再执行 tacha --county 目录 app",
        "No county is open. Run tacha demo DIR or tacha new, then tacha --county DIR app",
    ),
    "ui_load_terrain": (
        "还没有地形，不能计算看得见与看不见。请执行 tacha import terrain 文件",
        "No terrain yet, so what could be seen cannot be computed. Run tacha import terrain FILE",
    ),
    "ui_load_tracks": (
        "还没有轨迹。请执行 tacha import tracks 文件（GPX、KML、SHP…）",
        "No tracks yet. Run tacha import tracks FILE (GPX, KML, SHP …)",
    ),
    "ui_load_routes": (
        "还没有路线。请执行 tacha plan --day 日期，采纳后在此下载",
        "No planned routes yet. Run tacha plan --day DATE; accepted routes are downloaded here",
    ),
    "ui_load_teams": ("还没有队伍，请先导入", "No teams yet; import them first"),
    "ui_measuring": ("正在计算……", "Computing …"),
    "ui_borders_run": ("计算交界盲区", "Compute blind spots on borders"),
    "ui_borders_hint": (
        "交界带与盲区尚未计算，大县约需一分钟。",
        "Border strips and blind spots are not computed yet; about a minute for a large county.",
    ),
    "ui_layer_hillshade": ("山体阴影", "Hillshade"),
    "ui_layer_pod": ("发现概率与盲区", "Chance of detection, blind ground"),
    "ui_layer_tracks": ("踏查轨迹（最近 2000 条）", "Walked tracks (latest 2,000)"),
    "ui_layer_townships": ("乡镇界", "Townships"),
    "ui_layer_parcels": ("疑似地块", "Suspected parcels"),
    "ui_layer_finds": ("发现点", "Finds"),
    "ui_layer_routes": ("计划路线", "Planned routes"),
    "ui_layer_borders": ("两不管交界带", "Borders neither side saw"),
    "ui_layer_blind_spots": ("优先补查点", "Blind spots, ranked"),
    "ui_legend_pod": ("发现概率 0.1 → 1", "Chance of detection 0.1 → 1"),
    "ui_legend_blind": ("盲区（低于 0.1）", "Blind (below 0.1)"),
    "ui_status_flagged": ("疑似，未核", "flagged"),
    "ui_status_assigned": ("已派单", "assigned"),
    "ui_status_visited": ("已到", "visited"),
    "ui_status_confirmed": ("查实", "confirmed"),
    "ui_status_dismissed": ("排除", "dismissed"),
    "ui_status_eradicated": ("已铲除", "eradicated"),
    "ui_status_rechecked": ("已复查", "rechecked"),
    "ui_status_closed": ("已办结", "closed"),
    "ui_plants": ("{n} 株", "{n} plants"),
    "ui_km": ("{km} 公里", "{km} km"),
    "ui_neither": ("两不管 {share}%", "seen by neither {share} %"),
    "ui_spot": ("优先补查点第 {rank} 位", "blind spot, rank {rank}"),
    "ui_neighbour_unknown": ("县外（未知）", "outside, unknown"),
    "ui_enclave": ("插花地", "enclave"),
    "ui_click": ("点地图上任意一处，看谁在何时看过这里。", "Click anywhere: who looked there, and when."),
    "ui_at": ("东经 {longitude}° 北纬 {latitude}°", "{longitude}° E, {latitude}° N"),
    "ui_posts_none": ("无人负责", "nobody answers for it"),
    "ui_posts": ("责任岗位", "Post answering"),
    "ui_place": ("海拔 {elevation} 米 · {cover} · {stage}", "{elevation} m · {cover} · {stage}"),
    "ui_pod": ("发现概率", "Chance of detection"),
    "ui_nobody": ("没有轨迹经过附近 150 米。", "No track passed within 150 m."),
    "ui_track": ("轨迹", "Track"),
    "ui_team": ("队伍", "Team"),
    "ui_day": ("日期", "Day"),
    "ui_nearest": ("最近 米", "Nearest m"),
    "ui_visible": ("看得见", "In sight"),
    "ui_evidence_outside": ("这里不在本县范围。", "This place lies outside the county."),
    "ui_gpx": ("下载路线 GPX（{n} 条）", "Download routes as GPX ({n})"),
    "ui_visit": ("踏查", "Visit"),
    "ui_find": ("发现与铲除", "Find and eradication"),
    "ui_save": ("登记", "Record"),
    "ui_saved": ("已登记 {id}，台账第 {seq} 条，链头 {head}", "Recorded {id}, ledger entry {seq}, head {head}"),
    "ui_parcel": ("疑似地块（可空）", "Parcel (optional)"),
    "ui_village": ("村（可空）", "Village (optional)"),
    "ui_date": ("日期", "Date"),
    "ui_time": ("时间（北京时间）", "Time (China)"),
    "ui_outcome": ("结果", "Outcome"),
    "ui_evidence": ("依据：A 轨迹 B 签字表和照片 C 口头", "Evidence: A track, B signed form and photos, C claimed"),
    "ui_reason": ("未能到达的原因或备注", "Why it could not be reached, or a note"),
    "ui_ground": ("地类", "Kind of ground"),
    "ui_longitude": ("经度（WGS 84，可空）", "Longitude (WGS 84, optional)"),
    "ui_latitude": ("纬度（WGS 84，可空）", "Latitude (WGS 84, optional)"),
    "ui_species": ("物种", "Species"),
    "ui_plants_n": ("铲除前清点株数", "Plants counted before destruction"),
    "ui_stage": ("生长期", "Stage"),
    "ui_found_by": ("发现途径", "Found by"),
    "ui_method": ("铲除方式", "How destroyed"),
    "ui_fraction": ("铲除率 %", "Destroyed, %"),
    "ui_place_needed": ("发现必须有坐标", "a find needs its coordinates"),
    "ui_detection": ("发现把握度", "Detection"),
    "ui_p_zero": ("无在地毒株把握度", "Chance nothing stands"),
    "ui_p_zero_low": ("下限 5%", "Low 5 %"),
    "ui_p_zero_high": ("上限 95%", "High 95 %"),
    "ui_blind": ("盲区率", "Blind"),
    "ui_watched": ("监测率", "Watched"),
    "ui_hours": ("达 0.95 需工时", "Hours to 0.95"),
    "ui_township": ("乡镇", "Township"),
    "ui_plantable": ("可种植 km²", "Plantable km²"),
    "ui_effort_a": ("A 轨迹", "A tracked"),
    "ui_effort_b": ("B 签字表", "B signed"),
    "ui_effort_c": ("C 口头", "C claimed"),
    "ui_note": ("说明", "Note"),
    "ui_no_track_but": ("有踏查记录、无轨迹，不能计算", "visits on record but no track: cannot be computed"),
    "ui_lowest": ("最低乡镇", "Lowest township"),
    "ui_below": ("低于 {goal} 的乡镇", "Townships below {goal}"),
    "ui_county_detection": ("全县发现把握度", "County detection"),
    "ui_zero_planting": ("零种植", "Zero planting"),
    "ui_zero_held": ("本年尚无发现", "no find this year"),
    "ui_zero_broken": ("已破：{n} 处发现", "broken: {n} finds"),
    "ui_assumptions": ("这些数字依据的假设", "Assumptions behind these figures"),
    "ui_xlsx": ("下载 Excel", "Download Excel"),
    "ui_foot": ("截至 {at} · 台账链头 {head}", "As of {at} · ledger head {head}"),
    "ui_yes": ("是", "yes"),
    "ui_no": ("否", "no"),
    "ui_sure": (
        "发现把握度：假如有一块，被看见的机会。无在地毒株把握度不是零种植率，也不是考核分。",
        "Detection: the chance that a plot, had there been one, was seen. The chance that nothing stands is no score.",
    ),
}


class Spoken(Protocol):
    """An error or refusal that words can say."""

    code: str

    @property
    def fields(self) -> Mapping[str, object]: ...


def say(code: str, language: Language = "zh", /, **fields: object) -> str:
    """
    The sentence of a code with its blanks filled; an unknown code is shown as it stands.

    >>> say("value_low", "en", value=-1, low=0)
    '-1 is below 0'
    """
    if code not in WORDS:
        return f"{code} {fields}" if fields else code
    return WORDS[code][0 if language == "zh" else 1].format_map(_Blanks(fields))


def explain(error: Spoken, language: Language = "zh") -> str:
    """The sentence of an error of ``geo.errors``."""
    return say(error.code, language, **error.fields)


class _Blanks(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
