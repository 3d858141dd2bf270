"""Word papers in the manner of office papers: title, lines, tables, boxes to sign in; the same input the same bytes."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.shape import CT_Inline
from docx.shared import Mm, Pt

from geo.report.qr import qr_png
from geo.report.sheets import Paper
from geo.season import CHINA
from geo.words import Language

ALIGNED = (WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT)

TITLE_FONT, HEAD_FONT, BODY_FONT, LATIN_FONT = "方正小标宋简体", "黑体", "仿宋", "Times New Roman"
_NS = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_TWIP_MM = 56.6929


@dataclass(frozen=True)
class Cell:
    """A table cell: its text (lines by ``\\n``), how many columns it spans, and how it is written."""

    text: str = ""
    span: int = 1
    bold: bool = False
    align: str = "left"
    size: float = 10.5


class WordPaper:
    """A Word file put together from top to bottom; A4, with the paper's last lines in its footer."""

    def __init__(self, paper: Paper, *, language: Language = "zh", landscape: bool = False) -> None:
        self.paper, self._pictures_n = paper, 0
        self._document = docx.Document()
        self._body = self._document.element.body
        for child in list(self._body)[:-1]:
            self._body.remove(child)
        section = self._document.sections[0]
        width, height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
        section.page_width, section.page_height = width, height
        for side in ("left_margin", "right_margin"):
            setattr(section, side, Mm(18 if landscape else 22))
        section.top_margin, section.bottom_margin = Mm(18), Mm(18)
        section.footer_distance = Mm(8)
        self.width_mm = (297 - 36) if landscape else (210 - 44)
        properties = self._document.core_properties
        moment = paper.as_of.astimezone(CHINA).replace(tzinfo=None, microsecond=0)
        properties.title, properties.author, properties.comments = paper.title, paper.issuer, ""
        properties.created = properties.modified = moment
        properties.last_modified_by, properties.revision = "", 1
        foot = section.footer.paragraphs[0]
        foot._p.addnext(parse_xml(paragraph("　".join(paper.foot(language)), size=8)))
        foot._p.getparent().remove(foot._p)

    def line(self, text: str, **style: Any) -> None:
        """A paragraph; `style` as `paragraph` takes it."""
        self._add(parse_xml(paragraph(text, **style)))

    def title(self, text: str) -> None:
        """The paper's title, centred."""
        self.line(text, size=20, font=TITLE_FONT, align="center", after=6)

    def table(self, rows: Sequence[Sequence[Cell]], widths: Sequence[float], *, height_mm: float = 7.0) -> None:
        """A table with thin lines; `widths` are shares of the page's width."""
        self._add(parse_xml(table(rows, [share * self.width_mm for share in widths], height_mm)))

    def code(self, text: str, *, size_mm: float = 24.0, align: int = 2) -> None:
        """A QR code in a paragraph of its own; `align` 0 left, 1 centre, 2 right."""
        self.picture(qr_png(text), width_mm=size_mm, align=align)

    def picture(self, png: bytes, *, width_mm: float, align: int = 1) -> None:
        """A picture in a paragraph of its own; `align` 0 left, 1 centre, 2 right."""
        found = self._document.add_paragraph()
        found.alignment = ALIGNED[align]
        found.paragraph_format.space_before, found.paragraph_format.space_after = Pt(6), Pt(0)
        found.paragraph_format.line_spacing = 1.0
        part, run = self._document.part, found.add_run()
        place, image = part.get_or_add_image(io.BytesIO(png))
        wide, high = image.scaled_dimensions(Mm(width_mm), None)
        self._pictures_n += 1  # python-docx looks through the whole document for the next free number
        inline = CT_Inline.new_pic_inline(self._pictures_n, place, "image.png", wide, high)
        run._r.add_drawing(inline)

    def page_break(self) -> None:
        """What follows begins on a new page."""
        thin = '<w:spacing w:after="0" w:line="20" w:lineRule="exact"/>'
        self._add(parse_xml(f'<w:p {_NS}><w:pPr>{thin}</w:pPr><w:r><w:br w:type="page"/></w:r></w:p>'))

    def content(self) -> bytes:
        """The DOCX bytes; every member carries the same date."""
        stream = io.BytesIO()
        self._document.save(stream)
        return stable_zip(stream.getvalue())

    def _add(self, element: Any) -> None:
        self._body.insert(len(self._body) - 1, element)


def paragraph(
    text: str,
    *,
    size: float = 12.0,
    font: str = BODY_FONT,
    bold: bool = False,
    align: str = "left",
    indent: bool = False,
    before: float = 0.0,
    after: float = 2.0,
) -> str:
    """The XML of a paragraph; ``\\n`` breaks lines, `indent` sets the first line in by two characters."""
    first = '<w:ind w:firstLineChars="200" w:firstLine="480"/>' if indent else ""
    twips = {"before": before * 20, "after": after * 20, "line": size * 29}
    told = " ".join(f'w:{name}="{round(value)}"' for name, value in twips.items())
    spacing = f'<w:spacing {told} w:lineRule="exact"/>'
    return f'<w:p {_NS}><w:pPr>{spacing}{first}<w:jc w:val="{align}"/></w:pPr>{_runs(text, size, font, bold)}</w:p>'


def table(rows: Sequence[Sequence[Cell]], widths_mm: Sequence[float], height_mm: float) -> str:
    """The XML of a table with thin lines; each row's spans add up to the number of widths."""
    twips = [round(width * _TWIP_MM) for width in widths_mm]
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    edges = "".join(f'<w:{side} w:val="single" w:sz="4" w:color="000000"/>' for side in sides)
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
    lines = []
    for row in rows:
        cells, place = [], 0
        for cell in row:
            width = sum(twips[place : place + cell.span])
            place += cell.span
            span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
            inner = paragraph(cell.text, size=cell.size, bold=cell.bold, align=cell.align, after=0)
            told = f'<w:tcW w:w="{width}" w:type="dxa"/>{span}<w:vAlign w:val="center"/>'
            cells.append(f"<w:tc><w:tcPr>{told}</w:tcPr>{inner}</w:tc>")
        high = f'<w:trHeight w:val="{round(height_mm * _TWIP_MM)}" w:hRule="atLeast"/>'
        lines.append(f"<w:tr><w:trPr><w:cantSplit/>{high}</w:trPr>{''.join(cells)}</w:tr>")
    whole = sum(twips)
    properties = f'<w:tblW w:w="{whole}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{edges}</w:tblBorders>'
    properties += '<w:tblLayout w:type="fixed"/>'
    return f"<w:tbl {_NS}><w:tblPr>{properties}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{''.join(lines)}</w:tbl>"


def stable_zip(data: bytes) -> bytes:
    """A zip archive with its members in the order of their names and all of one date."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(source.namelist()):
            member = zipfile.ZipInfo(name, _EARLIEST)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 0
            target.writestr(member, source.read(name))
    return stream.getvalue()


def _runs(text: str, size: float, font: str, bold: bool) -> str:
    fonts = f'<w:rFonts w:ascii="{LATIN_FONT}" w:hAnsi="{LATIN_FONT}" w:eastAsia="{font}" w:cs="{LATIN_FONT}"/>'
    half = round(size * 2)
    style = f'<w:rPr>{fonts}{"<w:b/>" if bold else ""}<w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>'
    parts = [f'<w:t xml:space="preserve">{escape(_printable(part))}</w:t>' for part in text.split("\n")]
    return f"<w:r>{style}{'<w:br/>'.join(parts)}</w:r>"


def _printable(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(letter for letter in text if letter >= " " or letter == "\t")
