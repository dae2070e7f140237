"""Judges messages by the exported schemas with other programs: jsonschema for JSON; libxml2 and xmlschema for XML.
Arguments: the folder of the schemas, and a file of lines [format, document, expected]. Prints each disagreement and ends
with 1 if there is one."""

import json
import re
import sys
from pathlib import Path

import jsonschema
import xmlschema
from lxml import etree

# xmlschema reads integers by Python's `int`, which takes digits of every script; XSD and libxml2 know 0 to 9 only.
FOREIGN_DIGITS = re.compile(r">[\s+-]*(?=[0-9]*[^\x00-\x7F])\d+\s*<")


class Judges:
    """Validators of the exported folder."""

    def __init__(self, folder: Path) -> None:
        schema = json.loads((folder / "message.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        self.json = jsonschema.Draft202012Validator(schema)
        self.libxml2 = etree.XMLSchema(etree.parse(folder / "message.xsd"))
        self.xmlschema = xmlschema.XMLSchema(str(folder / "message.xsd"))

    def verdicts(self, form: str, document: str, number: int) -> dict[str, bool]:
        if form == "json":
            return {"jsonschema": self.json.is_valid(json.loads(document))}
        verdicts = {"libxml2": self.libxml2.validate(etree.fromstring(document.encode()))}
        # The one in pure Python is slow: every third document.
        if number % 3 == 0 and not FOREIGN_DIGITS.search(document):
            verdicts["xmlschema"] = self.xmlschema.is_valid(document)
        return verdicts


def main() -> None:
    judges = Judges(Path(sys.argv[1]))
    count = faults = 0
    for line in open(sys.argv[2], encoding="utf-8"):
        form, document, expected = json.loads(line)
        for judge, verdict in judges.verdicts(form, document, count).items():
            if verdict != expected:
                faults += 1
                print(f"{judge} says {verdict}, mezhved {expected}:\n{document[:3000]}")
        count += 1
    if faults:
        print(f"{faults} disagreements in {count} documents")
        sys.exit(1)
    print(f"{count} verdicts are the same")


main()
