"""Text, Markdown and HTML files: their paragraphs, with the headings over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from isogloss.errors import CorpusError
from isogloss.search.sources.splitting import Block, paragraphs

_BLOCKS = frozenset(
    "address article aside blockquote br caption dd details div dl dt fieldset figcaption figure footer form h1 h2 h3"
    " h4 h5 h6 header hr legend li main nav ol p pre section summary table tbody td tfoot th thead title tr ul".split()
)
_UNREAD = frozenset("script style template noscript svg math head select button nav iframe object".split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())


def blocks_of(path: Path) -> Iterator[Block]:
    """The paragraphs of a file, by its suffix.

    Raises:
        CorpusError: it cannot be read, or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path}: invalid UTF-8 at byte {error.start}; save the file as UTF-8, or leave it out"
        ) from error
    except OSError as error:
        raise CorpusError(f"{path}: cannot read: {error.strerror or error}") from error
    yield from READERS[path.suffix.lower()](text)


def text_blocks(text: str) -> Iterator[Block]:
    """The paragraphs of plain text."""
    return (Block(paragraph, None) for paragraph in paragraphs(text))


def markdown_blocks(text: str) -> Iterator[Block]:
    """The paragraphs of Markdown (CommonMark and tables), without its marks; front matter is left out."""
    from markdown_it import MarkdownIt

    if text.startswith("---\n") and (end := text.find("\n---\n", 3)) > 0:
        text = text[end + 5 :]
    return html_blocks(MarkdownIt("commonmark").enable("table").render(text))


def html_blocks(text: str) -> Iterator[Block]:
    """The paragraphs of HTML, without scripts, styles, navigation and forms' buttons."""
    parser = _Blocks()
    parser.feed(text)
    parser.close()
    parser.end_block()
    return iter(parser.blocks)


READERS: dict[str, Callable[[str], Iterator[Block]]] = {
    ".txt": text_blocks,
    ".md": markdown_blocks,
    ".markdown": markdown_blocks,
    ".html": html_blocks,
    ".htm": html_blocks,
}


class _Blocks(HTMLParser):
    """Collects the text between the borders of blocks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self._headings: dict[int, str] = {}
        self._heading: int | None = None
        self._unread: list[str] = []
        self._held: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.end_block()
        if tag in _UNREAD:
            self._unread.append(tag)
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            # Of what was left open inside, nothing is read either.
            del self._unread[self._unread.index(tag) :]
        if tag in _BLOCKS and tag not in _VOID:
            self.end_block()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._held.append(data)

    def end_block(self) -> None:
        """What was read since the last border is a block, or a heading over those that follow."""
        text = " ".join("".join(self._held).split())
        self._held = []
        level, self._heading = self._heading, None
        if not text:
            return
        if level is None:
            self.blocks.append(Block(text, " › ".join(self._headings.values()) or None))
            return
        self._headings = {above: kept for above, kept in self._headings.items() if above < level}
        self._headings[level] = text
