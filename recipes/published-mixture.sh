#!/bin/sh
# The training mixture of Elmahdy et al. 2024 (arXiv 2408.10536), as far as it is published: from the files as they are
# published to corpora to train on. docs/published.md says where the files come from and how many pairs the paper counts.
#
#     DATA=downloads OUT=corpora sh recipes/published-mixture.sh
#
# Except for mMARCO the data are English; the other languages of the paper are machine translations of these.
set -eu
: "${DATA:?the folder with the data sets, each in a folder of its own}"
: "${OUT:?a folder for the corpora}"

isogloss data convert "$DATA/WikiQACorpus" "$OUT/wikiqa" --from wikiqa --split all
isogloss data convert "$DATA/mr-tydi" "$OUT/mr-tydi" --from mr-tydi --language en
isogloss data convert "$DATA/duorc" "$OUT/duorc" --from duorc
isogloss data convert "$DATA/newsqa" "$OUT/newsqa" --from newsqa
isogloss data convert "$DATA/natural-questions" "$OUT/natural-questions" --from natural-questions
isogloss data convert "$DATA/yahoo-answers" "$OUT/yahoo-qa" --from sentence-transformers --language en
isogloss data convert "$DATA/entity-questions" "$OUT/entity-questions" --from entity-questions
isogloss data convert "$DATA/mfaq" "$OUT/mfaq" --from mfaq --language en
isogloss data convert "$DATA/mmarco" "$OUT/mmarco" --from mmarco --language ar --language de --language en --language es --language hi --language ru --language zh
isogloss data stats "$OUT/wikiqa" "$OUT/mr-tydi" "$OUT/duorc" "$OUT/newsqa" "$OUT/natural-questions" "$OUT/yahoo-qa" "$OUT/entity-questions" "$OUT/mfaq" "$OUT/mmarco" --output "$OUT/stats.md"

# To choose the checkpoint on, and never to train on:
isogloss data convert "$DATA/squadshifts" "$OUT/squadshifts" --from squadshifts --passage sentence
