"""BERT's uncased tokenizer as the tokenizers package does it, over the tables of Python's unicodedata.

The package carries tables of several Unicode versions (its marks, its punctuation, its decompositions, Rust's lower case). The same
steps over one version's tables tell a difference of versions from a mistake.
"""
import unicodedata

MAX_WORD_CHARACTERS = 100
# The fifth block begins at U+2B920 in the package, U+2B820 in Google's tokenizer.
CJK = [(0x4e00, 0x9fff), (0x3400, 0x4dbf), (0x20000, 0x2a6df), (0x2a700, 0x2b73f), (0x2b740, 0x2b81f), (0x2b920, 0x2ceaf),
       (0xf900, 0xfaff), (0x2f800, 0x2fa1f)]
# The property White_Space, which unicodedata lacks; it has not changed since Unicode 6.3.
WHITE_SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200b)}


def is_removed(c):
    return c not in "\t\n\r" and (c in "\0\ufffd" or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co"))


def is_punctuation(c):
    if ord(c) < 0x80:
        return c.isprintable() and not c.isalnum() and c != " "
    return unicodedata.category(c).startswith("P")


def cleaned(text):
    """(character, origin) of what cleaning leaves, CJK characters between spaces."""
    for origin, c in enumerate(text):
        if is_removed(c):
            continue
        if any(low <= ord(c) <= high for low, high in CJK):
            yield from ((" ", origin), (c, origin), (" ", origin))
        else:
            yield " " if c in WHITE_SPACE else c, origin


def decomposed(characters):
    """NFD of (character, origin)s. Characters that combine move into canonical order; origins keep their places."""
    waiting = []
    origins = []

    def in_order():
        places = iter(origins)
        origin = None
        for c, first in waiting:
            origin = next(places) if first else origin
            yield c, origin

    for c, origin in characters:
        for k, part in enumerate(unicodedata.normalize("NFD", c)):
            if unicodedata.combining(part) == 0 and k == 0:
                yield from in_order()
                waiting, origins = [], []
            waiting.append((part, k == 0))
            if k == 0:
                origins.append(origin)
            # Insertion: a combining character goes before those of a higher class.
            at = len(waiting) - 1
            while at > 0 and 0 < unicodedata.combining(part) < unicodedata.combining(waiting[at - 1][0]):
                waiting[at - 1], waiting[at] = waiting[at], waiting[at - 1]
                at -= 1
    yield from in_order()


def words(text):
    """Lists of (character, origin): normalised, split at white space and around punctuation."""
    word = []
    for c, origin in decomposed(cleaned(text)):
        if unicodedata.category(c) == "Mn":
            continue
        for lower in c.lower():
            alone = is_punctuation(lower)
            if (alone or lower in WHITE_SPACE) and word:
                yield word
                word = []
            if alone:
                yield [(lower, origin)]
            elif lower not in WHITE_SPACE:
                word.append((lower, origin))
    if word:
        yield word


def pieces(word, vocabulary):
    """(id, [begin, end]) of a word's pieces: the longest first, one [UNK] where they do not cover it."""
    found, begin = [], 0
    text = "".join(c for c, _ in word)
    while begin < len(text) <= MAX_WORD_CHARACTERS:
        prefix = "##" if begin else ""
        end = next((e for e in range(len(text), begin, -1) if prefix + text[begin:e] in vocabulary), None)
        if end is None:
            break
        found.append((vocabulary[prefix + text[begin:end]], [word[begin][1], word[end - 1][1] + 1]))
        begin = end
    if begin < len(text):
        return [(vocabulary["[UNK]"], [word[0][1], word[-1][1] + 1])]
    return found


def tokenize(text, vocabulary):
    """(ids, offsets in code points of the text)."""
    tokens = [piece for word in words(text) for piece in pieces(word, vocabulary)]
    return [i for i, _ in tokens], [offset for _, offset in tokens]
