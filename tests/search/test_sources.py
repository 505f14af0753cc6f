import gzip
import json

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isogloss.errors import CorpusError
from isogloss.search.passage import Passage, make_passage
from isogloss.search.sources import FoundFiles, find_files, name_files, passages_of
from isogloss.search.sources.documents import html_blocks, markdown_blocks, text_blocks
from isogloss.search.sources.splitting import Block, split_blocks


def read(*sources, **options):
    files = name_files(find_files(sources), {})
    return [passage for _, passage in passages_of(files.paths, **options)]


def test_records_of_every_form_are_the_same_passages(tmp_path):
    records = [
        {"id": "a", "text": "one, two", "language": "en", "title": "T", "year": 2020},
        {"id": "b", "text": 'say "x"', "language": "de", "title": None, "year": 2021},
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (tmp_path / "x.jsonl").write_text(lines)
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    parquet.write_table(pa.Table.from_pylist(records), tmp_path / "x.parquet")
    wanted = [
        Passage("a", "one, two", "en", "T", {"year": 2020}),
        Passage("b", 'say "x"', "de", None, {"year": 2021}),
    ]
    for name in ("x.jsonl", "x.jsonl.gz", "x.parquet"):
        assert read(tmp_path / name) == wanted, name
    (tmp_path / "x.csv").write_text(
        'id,text,language,title,year\na,"one, two",en,T,2020\nb,"say ""x""",de,,2021\n'
    )
    (tmp_path / "x.tsv").write_text("id\ttext\tlanguage\ttitle\tyear\na\tone, two\ten\tT\t2020\n")
    assert read(tmp_path / "x.csv") == wanted
    assert read(tmp_path / "x.tsv") == wanted[:1]
    (tmp_path / "y.csv").write_text("text,a,b,c,d,e\nx,007,1.5,nan,-3,1e3\n")
    assert read(tmp_path / "y.csv")[0].metadata == {"a": "007", "b": 1.5, "c": "nan", "d": -3, "e": "1e3"}


def test_a_parallel_corpus_gives_its_passages():
    found = read("sample:test")
    assert len(found) == 336
    assert found[0].text
    assert "query" not in found[0].metadata


def test_ids_and_languages_where_the_data_say_none(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"text": "a"}\n\n{"text": "b", "id": 7}\n')
    assert read(tmp_path / "x.jsonl", language="de") == [
        Passage("x.jsonl:1", "a", "de"),
        Passage("7", "b", "de"),
    ]


def test_a_folder_of_documents(tmp_path):
    (tmp_path / "guide").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "no.txt").write_text("hidden")
    (tmp_path / "a.txt").write_text("one\ntwo\n\n  \nthree")
    (tmp_path / "guide" / "b.md").write_text(
        "# Top\n\nSome *text* with [a link](http://x).\n\n## Sub\n\n- one\n- two\n"
    )
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    found = read(tmp_path)
    assert [(one.id, one.title, one.text, one.metadata["source"]) for one in found] == [
        ("a.txt#1", None, "one two\nthree", "a.txt"),
        ("guide/b.md#1", "Top", "Some text with a link.", "guide/b.md"),
        ("guide/b.md#2", "Top › Sub", "one\ntwo", "guide/b.md"),
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="nothing to index"):
        read(tmp_path / "empty")


def test_html_without_what_is_not_text():
    page = """<!doctype html><html><head><title>no</title><style>p {}</style></head><body>
    <nav><a href=x>menu</a></nav><h1>A &amp; B</h1><p>First<br>line <b>bold</b>.</p><script>alert(1)</script>
    <h2>Deep</h2><div>Inner <p>para</p> tail</div><h1>New</h1><table><tr><td>c1<td>c2</table>&lt;script&gt;"""
    assert list(html_blocks(page)) == [
        Block("First", "A & B"),
        Block("line bold.", "A & B"),
        Block("Inner", "A & B › Deep"),
        Block("para", "A & B › Deep"),
        Block("tail", "A & B › Deep"),
        Block("c1", "New"),
        Block("c2", "New"),
        Block("<script>", "New"),
    ]
    assert list(html_blocks("")) == list(markdown_blocks("")) == list(text_blocks(" \n ")) == []


def test_markdown_without_front_matter():
    assert list(markdown_blocks("---\ntitle: x\n---\n| a | b |\n|---|---|\n| 1 | 2 |\n")) == [
        Block(text, None) for text in ("a", "b", "1", "2")
    ]


def test_passages_are_whole_paragraphs_or_sentences():
    blocks = [Block("a" * 30, None), Block("b" * 30, None), Block("c" * 60, None)]
    assert [block.text for block in split_blocks(blocks, 70)] == ["a" * 30 + "\n" + "b" * 30, "c" * 60]
    long = Block("One two three. Four five six! Seven eight?", "T")
    assert list(split_blocks([long], 31)) == [
        Block("One two three. Four five six!", "T"),
        Block("Seven eight?", "T"),
    ]
    assert [block.text for block in split_blocks([Block("一二三。四五六。七", None)], 8)] == [
        "一二三。 四五六。"[:4],
        "四五六。 七",
    ]
    assert [block.text for block in split_blocks([Block("abcdefghij klm", None)], 6)] == [
        "abcdef",
        "ghij",
        "klm",
    ]
    titles = [Block("a", "x"), Block("b", "y")]
    assert list(split_blocks(titles, 99)) == titles, "no passage under two headings"


@pytest.mark.parametrize("longest", [5, 12, 40])
def test_no_character_is_lost_and_none_is_too_many(longest):
    text = "Ein Satz. Noch einer! 这是一句话。那也是一句话。 Ein-sehr-langes-Wort-ohne-Lücke und Schluss?"
    found = [block.text for block in split_blocks([Block(text, None)], longest)]
    assert all(len(piece) <= longest for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("x", "expected an object"),
        ({"id": "a"}, "'text' is missing"),
        ({"text": " "}, "'text' is empty"),
        ({"text": 3}, "'text' must be a string"),
        ({"text": "a\x00b"}, "control character U\\+0000 at 1"),
        ({"text": "a\ud83d"}, "half of a character"),
        ({"text": "a", "id": ["x"]}, "'id' must be a string"),
        ({"text": "a", "id": "x" * 513}, "513 characters"),
        ({"text": "a", "language": "qqqq"}, "not a known language code"),
        ({"text": "a", "metadata": 3}, "'metadata' must be an object"),
        ({"text": "a", "deep": {"b": 1}}, "'deep' must be a string, a number"),
        ({"text": "a", "deep": [1]}, "'deep' must be a string, a number"),
        ({"text": "a", "n": float("inf")}, "no number to compare with"),
        ({"text": "a", "n": "a\x01"}, "control character"),
    ],
)
def test_a_wrong_record_is_refused(record, message):
    with pytest.raises(CorpusError, match=message):
        make_passage(record, "x:1")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", b'{"text": "a"}\n{"text": 3}\n', r"x\.jsonl:2: the field 'text' must be a string"),
        ("x.jsonl", b'{"text": "a"}\n{"te', r"x\.jsonl:2: .*cut off"),
        ("x.jsonl", b"\xff\n", r"x\.jsonl:1: invalid UTF-8"),
        ("x.csv", b"text,id\na,b,c\n", r"x\.csv:2: 1 more values"),
        ("x.csv", b"text\n\xff\n", r"x\.csv:\d: invalid UTF-8"),
        ("x.csv", b'text\n"a" b\n', r"x\.csv:2: "),
        ("x.txt", b"ab\xff", r"x\.txt: invalid UTF-8 at byte 2"),
        ("x.parquet", b"PAR1", r"x\.parquet: not a sound Parquet file"),
        ("x.doc", b"", r"x\.doc: of no known form"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=message):
        read(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(CorpusError, match="no such file"):
        read(tmp_path / "none.jsonl")


@pytest.fixture
def folders(tmp_path):
    """Two folders that hold files of the same names."""
    for name in ("one/help", "two/help"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "a.txt").write_text("a")
        (tmp_path / name / "deep" / "b.txt").write_text("b")
    return tmp_path


def test_files_of_the_same_names_are_told_apart(folders):
    first, second = folders / "one" / "help", folders / "two" / "help"
    assert [one.id for one in read(first)] == ["a.txt#1", "deep/b.txt#1"]
    named = name_files(find_files([first, second]), {})
    assert list(named.paths) == ["a.txt", "deep/b.txt", "help/a.txt", "help/deep/b.txt"]
    assert named.lengthened == ("help/a.txt", "help/deep/b.txt")
    (folders / "help").mkdir()
    (folders / "help" / "a.txt").write_text("a")
    more = name_files(find_files([folders / "help"]), named.paths)
    assert list(more.paths) == [f"{folders.name}/help/a.txt"]


def test_a_file_keeps_its_name_however_it_is_given(folders, monkeypatch):
    first, second = folders / "one" / "help", folders / "two" / "help"
    known = name_files(find_files([first, second]), {}).paths
    again = name_files(find_files([second, first]), known)
    assert again.paths == known
    assert (again.vanished, again.lengthened) == ((), ())
    monkeypatch.chdir(folders / "two")
    for those in (["help/deep"], ["help/deep/b.txt"], ["../two/help/deep/b.txt", "help/deep"]):
        named = name_files(find_files(those), known)
        assert named.paths == {"help/deep/b.txt": str(second / "deep" / "b.txt")}
    assert set(name_files(find_files([folders]), known).paths) == set(known)


def test_a_file_that_is_gone_or_pruned_gives_its_name_away(folders):
    first, second = folders / "one" / "help", folders / "two" / "help"
    known = name_files(find_files([first]), {}).paths
    assert list(name_files(find_files([second]), known).paths) == ["help/a.txt", "help/deep/b.txt"]
    assert list(name_files(find_files([second]), known, prune=True).paths) == list(known)
    first.rename(folders / "moved")
    moved = name_files(find_files([folders / "moved"]), known)
    assert moved.paths == {name: path.replace("one/help", "moved") for name, path in known.items()}
    assert (moved.vanished, moved.lengthened) == ((), ())


def test_files_that_vanished_from_a_folder_are_named(folders):
    first, second = folders / "one" / "help", folders / "two" / "help"
    known = name_files(find_files([first, second]), {}).paths
    for one in (first, second):
        (one / "a.txt").unlink()
    assert name_files(find_files([first]), known).vanished == ("a.txt",)
    assert name_files(find_files([first / "deep" / "b.txt"]), known).vanished == ()
    assert name_files(find_files([folders]), known).vanished == ("a.txt", "help/a.txt")
    # Its name goes on, as another file's.
    (first / "a.txt").mkdir()
    (first / "a.txt" / "a.txt").write_text("a")
    named = name_files(find_files([first]), known)
    assert named.paths["a.txt/a.txt"] == str(first / "a.txt" / "a.txt")
    assert named.vanished == ("a.txt",)


@given(
    st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=12),
    st.integers(0, 12),
)
def test_no_two_files_ever_have_one_name(paths, split):
    everything = {"/" + "/".join(path): path[-1] for path in paths}
    known = {}
    for part in (dict(list(everything.items())[:split]), everything):
        # As of files that are all there.
        named = name_files(FoundFiles(part), known)
        assert sorted(named.paths.values()) == sorted(part)
        assert known.items() <= named.paths.items()
        known = dict(named.paths)
