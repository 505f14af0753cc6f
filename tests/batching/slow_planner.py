"""The planner again, in lists and loops, from the same random numbers: written to be obviously right."""

import math

import numpy as np

REDRAW_ROUNDS = 32


def slow_batch(datasets, plan, batch_size, seed, step, steps=None):
    """(mode, dataset, pairs as [(dataset item, query language, passage language)]) of a step.

    The plan has to be feasible for the datasets, or `plan.skip_small` set.
    """
    generator = np.random.Philox(key=np.array([seed, step], dtype=np.uint64))

    def uniform():
        return (int(generator.random_raw()) >> 11) / 2**53

    for_mode, for_dataset, for_language = uniform(), uniform(), uniform()
    if plan.kind == "hybrid":
        mode = "mono" if for_mode < alpha_at(plan.alpha, step, steps) else "cross"
    else:
        mode = {"en-en": "mono", "x-x-mono": "mono", "x-x": "mixed", "x-y": "cross"}[plan.kind]

    menus = [menu(data, plan, mode, batch_size) for data in datasets]
    sizes = [len({item for _, items in choices for item in items}) for choices in menus]
    weights = [(size / max(sizes)) ** plan.dataset_exponent if size else 0 for size in sizes]
    dataset = weighted(weights, for_dataset)
    choices = menus[dataset]
    groups = datasets[dataset].groups.tolist()
    by_size = plan.language_weighting == "size"
    weights = [len(items) if by_size else 1 for _, items in choices]

    if mode == "mono":
        chosen = [weighted(weights, for_language)] * batch_size
    else:
        chosen = [weighted(weights, uniform()) for _ in range(batch_size)]
    drawn = [None] * batch_size
    used = set()
    for _ in range(REDRAW_ROUNDS):
        for slot in range(batch_size):
            if drawn[slot] is None:
                items = choices[chosen[slot]][1]
                drawn[slot] = items[math.floor(uniform() * len(items))]
                if groups[drawn[slot]] in used:
                    drawn[slot] = None
                else:
                    used.add(groups[drawn[slot]])
    for slot in range(batch_size):
        left_weights = list(weights)
        while drawn[slot] is None:
            left = [item for item in choices[chosen[slot]][1] if groups[item] not in used]
            if left:
                drawn[slot] = left[math.floor(uniform() * len(left))]
                used.add(groups[drawn[slot]])
            else:
                left_weights[chosen[slot]] = 0
                chosen[slot] = weighted(left_weights, uniform())
    return mode, dataset, [(item, *choices[choice][0]) for item, choice in zip(drawn, chosen, strict=True)]


def weighted(weights, uniform):
    """The first place whose running sum of weights passes uniform * sum."""
    total = sum(weights)
    running = 0
    for place, weight in enumerate(weights):
        running += weight
        if running > uniform * total:
            return place
    raise AssertionError("a uniform number is less than 1")


def alpha_at(alpha, step, steps):
    if isinstance(alpha, float):
        return alpha
    points = alpha.points
    if len({value for _, value in points}) == 1:
        return points[0][1]
    done = min(step / (steps - 1), 1) if steps > 1 else 0
    return float(np.interp(done, [point[0] for point in points], [point[1] for point in points]))


def menu(data, plan, mode, batch_size):
    """[((query language, passage language), its items)] that may be drawn from a dataset in a mode."""
    choices = []
    for query in sorted(data.languages):
        for passage in sorted(data.languages):
            if (query != passage) != (mode == "cross"):
                continue
            if (
                not allowed(plan, query)
                or not allowed(plan, passage)
                or (query, passage) in plan.held_out_pairs
            ):
                continue
            items = items_with(data, plan, query, passage)
            if not items or (mode == "mono" and count_groups(data, items) < batch_size):
                continue
            choices.append(((query, passage), items))
    if count_groups(data, [item for _, items in choices for item in items]) < batch_size:
        return []
    return choices


def allowed(plan, language):
    if plan.kind == "en-en" and language != plan.anchor_language:
        return False
    return (plan.languages is None or language in plan.languages) and language not in plan.held_out_languages


def items_with(data, plan, query, passage):
    """The items that have both languages: by what allowed languages they have, then by number."""
    order = sorted(language for language in data.languages if allowed(plan, language))

    def has(item, language):
        return bool(data.available[item, data.languages.index(language)])

    items = [item for item in range(len(data)) if has(item, query) and has(item, passage)]
    return sorted(items, key=lambda item: ([has(item, language) for language in order], item))


def count_groups(data, items):
    return len({int(data.groups[item]) for item in items})
