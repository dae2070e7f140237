"""Compares pairs of XML documents by Canonical XML 2.0 (of Python's own library), prefixes and ignorable white space
aside. Reads lines of JSON, two documents each; ends with 1 at the first pair that differs."""

import json
import sys
import xml.etree.ElementTree as ElementTree


def canonical(document: str) -> str:
    root = ElementTree.fromstring(document.encode())
    for element in root.iter():
        if len(element):
            assert not (element.text or "").strip(), "text between elements"
            element.text = None
        for child in element:
            child.tail = None
    return ElementTree.canonicalize(ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;"), rewrite_prefixes=True)


def main() -> None:
    count = 0
    for line in open(sys.argv[1], encoding="utf-8"):
        first, second = json.loads(line)
        if canonical(first) != canonical(second):
            print(f"pair {count} differs:\n{first}\n{second}")
            sys.exit(1)
        count += 1
    print(f"{count} pairs are equal")


main()
