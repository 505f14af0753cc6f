"""Corpora for the tests of cleaning."""

import json
import random

WORDS = {
    "en": "the river carries heavy boats with grain while old clocks tell people what time they should leave the house"
    " and green frogs jump through wet grass every night because bakers knead bread dough before morning light comes"
    " over mountains where nobody knows which road leads home again after winter storms".split(),
    "de": "der Fluss trägt schwere Boote mit Getreide während alte Uhren den Menschen sagen wann sie ihr Haus verlassen"
    " müssen und grüne Frösche springen jede Nacht durch nasses Gras weil Bäcker vor dem Morgen Teig kneten über"
    " Berge wo niemand weiß welche Straße nach dem Winter wieder heim führt".split(),
    "es": "el río lleva barcos pesados con grano mientras los relojes viejos dicen a la gente cuándo debe salir de su"
    " casa y las ranas verdes saltan cada noche por la hierba mojada porque los panaderos amasan antes de la mañana"
    " sobre montañas donde nadie sabe qué camino vuelve después del invierno".split(),
}


def record(number: int, language: str = "en", **fields):
    """A version of an item with texts unlike all others'."""
    generator = random.Random(f"{number} {language}")
    words = WORDS[language]
    return {
        "id": f"item-{number}",
        "language": language,
        "query": " ".join(generator.choice(words) for _ in range(9)) + "?",
        "passage": " ".join(generator.choice(words) for _ in range(16)) + ".",
        **fields,
    }


def write(path, records):
    """Write records, or lines that are texts already, as JSONL."""
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path):
    """The records of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
