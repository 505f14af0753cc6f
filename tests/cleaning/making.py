"""Corpora for the tests of cleaning."""

import json

TOPICS = {
    "en": [
        "river boats carry grain",
        "old clocks tell the time",
        "green frogs jump at night",
        "bakers knead the dough",
    ],
    "de": [
        "Flussboote tragen Getreide",
        "alte Uhren zeigen die Zeit",
        "grüne Frösche springen",
        "Bäcker kneten den Teig",
    ],
    "es": [
        "barcos llevan grano",
        "relojes viejos dan la hora",
        "ranas verdes saltan",
        "panaderos amasan la masa",
    ],
}
NUMBERS = {
    "en": "one two three four five six seven eight nine ten eleven twelve".split(),
    "de": "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf".split(),
    "es": "uno dos tres cuatro cinco seis siete ocho nueve diez once doce".split(),
}


def record(number: int, language: str = "en", **fields):
    """A version of an item with texts unlike all others'."""
    numbers = NUMBERS[language]
    words = " ".join(numbers[(number // 12**place) % 12] for place in range(3))
    topic = TOPICS[language][number % 4]
    other = TOPICS[language][(number // 4) % 4]
    return {
        "id": f"item-{number}",
        "language": language,
        "query": f"{topic} {words}?",
        "passage": f"{words} {topic} {numbers[number % 7]}, {other} {words[::-1]}.",
        **fields,
    }


def write(path, records):
    """Write records, or lines that are texts already, as JSONL."""
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
