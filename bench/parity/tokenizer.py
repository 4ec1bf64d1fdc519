"""Compares `expctl features --dump` with transformers' fast tokenizer over all characters of expctl's Unicode version.

    tokenizer.py EXPCTL MODEL_DIR [--strings N] [--seed N]

First every assigned character but the surrogates, in several contexts; then N random strings (20000) of 1 to 60 characters drawn over
all of them. Input ids and character offsets must be the same, or the difference that of the Unicode versions: then expctl gives what
the same algorithm gives over Unicode 14 (tables_tokenizer.py), and the characters of the peer's other versions are listed, each with
the property in which they differ. Exit code 1 where a difference has another reason.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

os.environ.setdefault("HF_HUB_OFFLINE", "1")
from tokenizers import normalizers, pre_tokenizers
from transformers import AutoTokenizer

import tables_tokenizer as tables

UNICODE = "14.0.0"
QUESTION = "what?"
TOGETHER = 16  # characters in one text of the first look


class Expctl:
    """Tokens of texts by `expctl features --dump`: (ids, offsets) of the context alone."""

    def __init__(self, program, model):
        self.program = program
        self.vocab = os.path.join(model, "vocab.txt")

    def tokenize(self, texts):
        paragraphs = [{"context": text, "qas": [{"id": str(i), "question": QUESTION, "answers": []}]} for i, text in enumerate(texts)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "texts.json")
            with open(path, "w", encoding="ascii") as f:
                json.dump({"version": "1.1", "data": [{"title": "texts", "paragraphs": paragraphs}]}, f)
            dump = subprocess.run([self.program, "features", path, "--vocab", self.vocab, "--max-seq-length", "8192", "--dump"],
                                  check=True, capture_output=True, text=True).stdout.splitlines()
        features = [json.loads(line) for line in dump]
        assert [f["question_id"] for f in features] == [str(i) for i in range(len(texts))], "a text did not fit one window"
        return [self.context(f["input_ids"], f["offsets"]) for f in features]

    @staticmethod
    def context(ids, offsets):
        begin = ids.index(102) + 1  # [SEP]
        return ids[begin:-1], offsets[begin:-1]


class Peer:
    def __init__(self, model):
        self.tokenizer = AutoTokenizer.from_pretrained(model).backend_tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.vocabulary = self.tokenizer.get_vocab()
        assert self.vocabulary["[SEP]"] == 102

    def tokenize(self, texts):
        """The question is left out: the peer tokenizes the two apart."""
        encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [(e.ids, [list(o) for o in e.offsets]) for e in encoded]


def bert_normalizer(**steps):
    every = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**{**every, **steps}).normalize_str


class Properties:
    """What a character is to the tables of Unicode 14 and to the peer's, property by property."""

    # Marks of low, middle and high class: their order with a character tells its class from 0.
    MARKS = ("\u0334", "\u0316", "\u0345")

    def __init__(self):
        self.peer_clean = bert_normalizer(clean_text=True)
        self.peer_marks = bert_normalizer(strip_accents=True)
        self.peer_lower = bert_normalizer(lowercase=True)
        self.peer_nfd = normalizers.NFD().normalize_str
        self.peer_split = pre_tokenizers.BertPreTokenizer().pre_tokenize_str

    def differing(self, c):
        """[(property, in Unicode 14, to the peer)]."""
        ours = [("cleaning", "removed" if tables.is_removed(c) else "white space" if c in tables.WHITE_SPACE else "kept"),
                ("NFD", self.codes(unicodedata.normalize("NFD", c))),
                ("a combining class", "yes" if self.moves(c, lambda text: unicodedata.normalize("NFD", text)) else "no"),
                ("nonspacing mark", "yes" if unicodedata.category(c) == "Mn" else "no"),
                ("lower case", self.codes(c.lower())),
                ("punctuation", "yes" if tables.is_punctuation(c) else "no")]
        cleaned = self.peer_clean(f"a{c}a")
        theirs = ["removed" if cleaned == "aa" else "white space" if cleaned == "a a" else "kept",
                  self.codes(self.peer_nfd(c)),
                  "yes" if self.moves(c, self.peer_nfd) else "no",
                  "yes" if self.peer_marks(c) == "" else "no",
                  self.codes(self.peer_lower(c)),
                  "yes" if len(self.peer_split(f"a{c}a")) == 3 else "no"]
        return [(name, here, there) for (name, here), there in zip(ours, theirs) if here != there]

    @staticmethod
    def codes(text):
        return " ".join(f"U+{ord(c):04X}" for c in text)

    def moves(self, c, nfd):
        return any(nfd(f"a{c}{mark}") != "a" + nfd(c) + mark or nfd(f"a{mark}{c}") != "a" + mark + nfd(c) for mark in self.MARKS)


def contexts(c):
    """The character inside a word, alone, doubled, in a capital's word, before and after marks of several classes."""
    return f"a{c}b {c} A{c}{c} E{c}\u0334 {c}\u0301 \u0345{c} \u0316{c}B"


def assigned():
    return [chr(c) for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def compare(expctl, peer, texts):
    """{index: (expctl's, the peer's)} of the texts that differ."""
    return {i: pair for i, pair in enumerate(zip(expctl.tokenize(texts), peer.tokenize(texts))) if pair[0] != pair[1]}


def explained(text, got, peer):
    """Whether the algorithm over Unicode 14 gives what expctl gives."""
    return tables.tokenize(text, peer.vocabulary) == got


def differing_characters(expctl, peer, characters):
    """Those whose contexts differ: looked for many at once, then one by one where something differs."""
    groups = [characters[i:i + TOGETHER] for i in range(0, len(characters), TOGETHER)]
    found = compare(expctl, peer, [" . ".join(map(contexts, group)) for group in groups])
    suspects = [c for i in found for c in groups[i]]
    differ = compare(expctl, peer, [contexts(c) for c in suspects])
    return {suspects[i]: explained(contexts(suspects[i]), got, peer) for i, (got, _) in differ.items()}


def report_characters(differ, count):
    """Lists the characters; returns how many are unexplained."""
    properties = Properties()
    reasons = collections.Counter()
    unexplained = 0
    for c, from_version in differ.items():
        why = properties.differing(c)
        text = "; ".join(f"{name}: {here} in Unicode 14, {there} to the peer" for name, here, there in why)
        if not (from_version and why):
            unexplained += 1
            text = "UNEXPLAINED " + text
        reasons[text] += 1
        print(f"U+{ord(c):04X}  {unicodedata.category(c)}  {unicodedata.name(c, '(no name)')}  {text}")
    for text, characters in reasons.most_common():
        print(f"{characters} characters: {text}")
    print(f"characters that differ: {len(differ)} of {count}, {unexplained} unexplained")
    return unexplained


def random_strings(characters, count, seed):
    """Ordinary letters are frequent, so that what stands beside a rare character is a word; so are marks, which act on one another."""
    rng = random.Random(seed)
    ordinary = "etaoinshrdlucmfw ETAOINS  ,.'-0123éüñçÀ\u0301\u0308"
    living = [c for c in characters if unicodedata.category(c) != "Co" and not unicodedata.name(c, "").startswith(("CJK", "HANGUL SYLL"))]
    marks = [c for c in living if unicodedata.category(c).startswith("M")]
    classes = [c for c in marks if unicodedata.combining(c) and unicodedata.category(c) != "Mn"]
    apart = [c for c in characters if unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp")]
    pools = [ordinary, characters, living, marks, classes, apart]
    return ["".join(rng.choice(pool) for pool in rng.choices(pools, [50, 22, 15, 8, 2, 3], k=rng.randint(1, 60)))
            for _ in range(count)]


def report_strings(expctl, peer, strings, listed):
    """Prints the summary; returns how many differences are unexplained."""
    differ = compare(expctl, peer, strings)
    responsible = set()
    unexplained = []
    for i, (got, _) in differ.items():
        text = strings[i]
        here = {c for c in text if c in listed}
        if explained(text, got, peer) and here:
            responsible |= here
        else:
            unexplained.append(i)
    # Without the listed characters nothing may differ.
    without = {i: "".join(c for c in strings[i] if c not in listed) for i in differ}
    left = compare(expctl, peer, list(without.values()))
    unexplained += [i for k, i in enumerate(without) if k in left and i not in unexplained]
    for i in unexplained[:10]:
        got, wanted = differ[i]
        print(f"string {i}: {strings[i]!a}", f"expctl {got}", f"peer {wanted}",
              f"Unicode 14 {tables.tokenize(strings[i], peer.vocabulary)}", sep="\n  ")
    if unexplained:
        print(f"differences {len(differ)} of {len(strings)}, {len(unexplained)} unexplained")
    else:
        names = " ".join(sorted((f"U+{ord(c):04X}" for c in responsible), key=lambda name: int(name[2:], 16)))
        print(f"differences {len(differ)} of {len(strings)}, all explained by {len(responsible)} characters: {names}")
    return len(unexplained)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("expctl")
    parser.add_argument("model")
    parser.add_argument("--strings", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unicodedata.unidata_version != UNICODE:
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}; the lists here are for Unicode {UNICODE} (Python 3.11)")
    expctl, peer = Expctl(options.expctl, options.model), Peer(options.model)
    characters = assigned()
    listed = differing_characters(expctl, peer, characters)
    unexplained = report_characters(listed, len(characters))
    unexplained += report_strings(expctl, peer, random_strings(characters, options.strings, options.seed), listed)
    sys.exit(1 if unexplained else 0)


main()
