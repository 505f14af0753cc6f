"""The published forms that can be read, with what is to be known of each: files, licence, citation, languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from isogloss.corpus.published import (
    answers,
    judged,
    marco,
    mfaq,
    natural_questions,
    squad,
    stories,
    tables,
    triplets,
    tydi_qa,
    wiki_qa,
)
from isogloss.corpus.published.reading import Reading, ReadOptions, Records
from isogloss.corpus.reading import corpus_name
from isogloss.corpus.records import RecordSource
from isogloss.corpus.streaming import VersionStream, stream_source
from isogloss.errors import RecipeError

_CALLERS = "of the user's own data"


@dataclass(frozen=True)
class PublishedFormat:
    """A form in which data are published.

    Attributes:
        name: what `--from` calls it.
        description: what it holds, in a sentence.
        files: the files that the reader takes, from a file or anywhere in a folder.
        languages: the languages of the data, or what tells them.
        licence: the licence of the data, as their publishers state it.
        citation: what to cite.
        read: gives the records of a source.
        options: which options it has, besides the languages: split, column, passage, pairs.
        parallel: whether its items are in several languages.
    """

    name: str
    description: str
    files: str
    languages: str
    licence: str
    citation: str
    read: Callable[[Path, Reading], Records]
    options: frozenset[str]
    parallel: bool = False


def _options(*names: str) -> frozenset[str]:
    return frozenset(names)


FORMATS: Mapping[str, PublishedFormat] = {
    form.name: form
    for form in (
        PublishedFormat(
            "mmarco",
            "MS MARCO's passages and queries, machine-translated",
            "LANGUAGE_collection.tsv, LANGUAGE_queries.SPLIT.tsv, triples.train.ids.small.tsv or qrels.SPLIT.tsv",
            "ar de en es fr hi id it ja nl pt ru vi zh",
            "Apache 2.0; MS MARCO's terms, non-commercial research, for what was translated",
            "Bonifacio et al. 2021, arXiv 2108.13897",
            marco.read_mmarco,
            _options("split", "pairs"),
            parallel=True,
        ),
        PublishedFormat(
            "msmarco",
            "passages of web pages for queries of a search engine",
            "collection.tsv, queries.SPLIT.tsv, qidpidtriples.train.full.2.tsv(.gz), triples of ids or qrels.SPLIT.tsv",
            "en",
            "MS MARCO's terms: non-commercial research",
            "Bajaj et al. 2016, arXiv 1611.09268",
            marco.read_msmarco,
            _options("split", "pairs"),
        ),
        PublishedFormat(
            "squad",
            "questions about paragraphs of Wikipedia, versions 1.1 and 2.0, and sets in its form",
            "train-v1.1.json, dev-v2.0.json, or any .json of the form",
            "en, or --language",
            "CC BY-SA 4.0",
            "Rajpurkar et al. 2016, arXiv 1606.05250; 2018, arXiv 1806.03822",
            squad.read_squad,
            _options("split", "passage"),
        ),
        PublishedFormat(
            "xquad",
            "240 of SQuAD's paragraphs and their questions, translated by people",
            "xquad.LANGUAGE.json",
            "ar de el en es hi ro ru th tr vi zh",
            "CC BY-SA 4.0",
            "Artetxe et al. 2020, arXiv 1910.11856",
            squad.read_xquad,
            _options("passage"),
            parallel=True,
        ),
        PublishedFormat(
            "mlqa",
            "questions about parallel sentences of Wikipedia, each in two to seven languages",
            "test-context-xx-question-xx.json, dev-context-xx-question-xx.json",
            "ar de en es hi vi zh",
            "CC BY-SA 3.0",
            "Lewis et al. 2020, arXiv 1910.07475",
            squad.read_mlqa,
            _options("split", "passage"),
            parallel=True,
        ),
        PublishedFormat(
            "squadshifts",
            "four test sets in SQuAD's form: new Wikipedia, New York Times, Reddit, Amazon reviews",
            "new_wiki_v1.0.json, nyt_v1.0.json, reddit_v1.0.json, amazon_reviews_v1.0.json",
            "en",
            "CC BY 4.0",
            "Miller et al. 2020, arXiv 2004.14444",
            squad.read_squadshifts,
            _options("passage"),
        ),
        PublishedFormat(
            "natural-questions",
            "queries of a search engine, answered by a part of a Wikipedia page",
            "v1.0-simplified_simplified-nq-train.jsonl.gz; nq-dev-NN.jsonl.gz",
            "en",
            "CC BY-SA 3.0",
            "Kwiatkowski et al. 2019, TACL 7",
            natural_questions.read_natural_questions,
            _options("split", "passage"),
        ),
        PublishedFormat(
            "dpr",
            "Natural Questions, TriviaQA and others with passages of Wikipedia and hard negatives",
            "biencoder-nq-train.json(.gz) and the like",
            "en",
            "CC BY-NC 4.0; the data sets' own for what they hold",
            "Karpukhin et al. 2020, arXiv 2004.04906",
            natural_questions.read_dpr,
            _options("split"),
        ),
        PublishedFormat(
            "mr-tydi",
            "TyDi QA's questions with passages of Wikipedia",
            "mrtydi-v1.1-LANGUAGE/ with topic.SPLIT.tsv, qrels.SPLIT.txt, collection/docs.jsonl.gz; or SPLIT.jsonl.gz",
            "ar bn en fi id ja ko ru sw te th",
            "Apache 2.0",
            "Zhang et al. 2021, arXiv 2108.08787",
            judged.read_mr_tydi,
            _options("split"),
        ),
        PublishedFormat(
            "miracl",
            "questions with judged passages of Wikipedia, written by native speakers",
            "miracl-v1.0-xx/topics, miracl-v1.0-xx/qrels, miracl-corpus-v1.0-xx/docs-N.jsonl.gz",
            "ar bn de en es fa fi fr hi id ja ko ru sw te th yo zh",
            "Apache 2.0",
            "Zhang et al. 2023, TACL 11, arXiv 2210.09984",
            judged.read_miracl,
            _options("split"),
        ),
        PublishedFormat(
            "duorc",
            "questions about film plots, asked after one version of a plot and answered after another",
            "SelfRC_train.json, ParaphraseRC_train.json",
            "en",
            "MIT",
            "Saha et al. 2018, arXiv 1804.07927",
            stories.read_duorc,
            _options("split", "passage"),
        ),
        PublishedFormat(
            "newsqa",
            "questions about news of CNN",
            "combined-newsqa-data-v1.json",
            "en",
            "NewsQA's terms: non-commercial research",
            "Trischler et al. 2017, arXiv 1611.09830",
            stories.read_newsqa,
            _options("split", "passage"),
        ),
        PublishedFormat(
            "wikiqa",
            "queries of a search engine, each with the judged sentences of a Wikipedia summary",
            "WikiQA-train.tsv, WikiQA-dev.tsv, WikiQA-test.tsv",
            "en",
            "Microsoft Research Data License: research",
            "Yang et al. 2015, EMNLP",
            wiki_qa.read_wikiqa,
            _options("split"),
        ),
        PublishedFormat(
            "entity-questions",
            "simple questions about entities; the passage is the answer, or what DPR found with it",
            "dataset/SPLIT/P17.SPLIT.json; DPR's output for them",
            "en",
            "MIT",
            "Sciavolino et al. 2021, arXiv 2109.08535",
            answers.read_entity_questions,
            _options("split"),
        ),
        PublishedFormat(
            "mkqa",
            "10,000 of Natural Questions' queries, translated by people; the passage is the answer",
            "mkqa.jsonl.gz",
            "ar da de en es fi fr he hu it ja km ko ms nl no pl pt ru sv th tr vi zh-CN zh-HK zh-TW",
            "CC BY-SA 3.0",
            "Longpre et al. 2021, arXiv 2007.15207",
            answers.read_mkqa,
            _options(),
            parallel=True,
        ),
        PublishedFormat(
            "mfaq",
            "questions and answers of FAQ pages of the web",
            "data/xx/train.jsonl, data/xx/valid.jsonl",
            "cs da de en es fi fr he hr hu id it nl no pl pt ro ru sv tr vi",
            "CC0 1.0",
            "De Bruyn et al. 2021, arXiv 2109.12870",
            mfaq.read_mfaq,
            _options("split"),
        ),
        PublishedFormat(
            "tydiqa",
            "questions written without knowing the answer, with passages of Wikipedia",
            "tydiqa-goldp-v1.1-train.json; tydiqa-v1.0-train.jsonl.gz",
            "ar bn en fi id ja ko ru sw te th",
            "Apache 2.0",
            "Clark et al. 2020, arXiv 2003.05002",
            tydi_qa.read_tydiqa,
            _options("split", "passage"),
        ),
        PublishedFormat(
            "table",
            "a table with named columns, or a data set of the hub: hf:NAME, hf:NAME:CONFIG",
            ".csv, .tsv, .jsonl (also .gz), .parquet",
            "a column, or --language",
            _CALLERS,
            _CALLERS,
            tables.read_table,
            _options("split", "column"),
            parallel=True,
        ),
        PublishedFormat(
            "sentence-transformers",
            "pairs and triplets as sentence-transformers trains on",
            ".jsonl(.gz) with anchor, positive, negative; or lists of texts; or query, pos, neg",
            "--language",
            _CALLERS,
            _CALLERS,
            triplets.read_sentence_transformers,
            _options("split"),
        ),
        PublishedFormat(
            "flag-embedding",
            "training files of FlagEmbedding",
            ".jsonl(.gz) with query, pos, neg",
            "--language",
            _CALLERS,
            _CALLERS,
            triplets.read_flag_embedding,
            _options("split"),
        ),
        PublishedFormat(
            "tevatron",
            "training files of Tevatron",
            ".jsonl(.gz) with query_id, query, positive_passages, negative_passages",
            "--language",
            _CALLERS,
            _CALLERS,
            triplets.read_tevatron,
            _options("split"),
        ),
    )
}


def published_source(source: Path, form: str, reading: Reading) -> RecordSource:
    """The records of a source in a published form.

    Args:
        source: a file or folder; for tables also `hf:NAME`.
        form: a name of `FORMATS`.
        reading: counts what is left out, and ends with its `with` block.

    Raises:
        RecipeError: there is no such form, or it has not an option that is given.
        CorpusError: the source has not the files of the form; others come while reading.
    """
    if form not in FORMATS:
        raise RecipeError(f"--from {form}: no such form; there are {', '.join(FORMATS)}")
    given = {
        "split": reading.options.split is not None,
        "column": bool(reading.options.columns),
        "passage": reading.options.passage != "paragraph",
        "pairs": reading.options.pairs is not None,
    }
    for option, is_given in given.items():
        if is_given and option not in FORMATS[form].options:
            others = [name for name, other in FORMATS.items() if option in other.options]
            raise RecipeError(f"--{option} goes with --from {', '.join(others)}; {form} has no such option")
    return RecordSource(
        FORMATS[form].read(source, reading),
        describe=reading.describe,
        locate=reading.locate,
        progress=reading.progress,
    )


def open_published(source: Path, form: str, reading: Reading) -> VersionStream:
    """The versions of a source in a published form, see `published_source`."""
    return stream_source(published_source(source, form, reading), corpus_name(source))


__all__ = ["FORMATS", "PublishedFormat", "ReadOptions", "Reading", "open_published", "published_source"]
