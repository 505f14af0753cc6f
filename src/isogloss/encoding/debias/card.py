"""The card of a model folder with a cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLAIN = """A plain sentence-transformers model: the cure is a linear layer.

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("this-folder")
```
"""
_BY_LANGUAGE = """The cure depends on a text's language, so that isogloss applies it: `isogloss evaluate this-folder`,
or in Python

```python
from isogloss import open_encoder

encoder = open_encoder("this-folder")
vectors = encoder.encode(["Wie geht es?"], "query", languages=["de"])
```

Where `languages` is not given, the language is detected among those fitted. Texts in any other are treated like the
mean of all. `base/` is the model without the cure.
"""
_ELSEWHERE = """The folder holds the cure alone, and isogloss applies it to the vectors of `{source}`:
`isogloss evaluate this-folder ...`.
"""


def card(record: Mapping[str, Any]) -> str:
    """Write the card in Markdown from what `debias.json` records."""
    fitted, method, prompts = record["fitted_on"], record["method"], record["prompts"]
    if record["source"] is not None:
        use = _ELSEWHERE.format(source=record["source"])
    else:
        use = _PLAIN if method == "project" else _BY_LANGUAGE
    what = {
        "centre": "the mean vector of a text's language is subtracted",
        "shift": f"the mean vector of a text's language is moved onto that of {record['reference'] or 'all languages'}",
        "project": f"{record['directions']} directions in which the mean vectors of languages differ are removed",
    }[method]
    said = [f"{side} {prompt!r}" for side, prompt in prompts.items() if prompt]
    return f"""---
library_name: sentence-transformers
tags: [isogloss, debias-{method}]
language: [{", ".join(record["languages"])}]
---

# {record["base"]}, language taken out by `{method}`

{use}
Without training: {what}, then vectors are brought to unit length. Fitted on {fitted["name"]} ({fitted["texts"]} texts,
checksum {fitted["checksum"]}) in {", ".join(record["languages"])}. Evaluated on the same data, it knows the pool.

Prompts: {", ".join(said) or "none"}.
"""
