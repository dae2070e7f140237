"""The main job as two programs of other makers live it: the centre writes XML to its broker, the school reads JSON from
its own queue, answers over HTTP, and registers what it got.

Usage: story.py FILE, with FILE a JSON object: http, amqp {code: url}, keys {code: key}, schemas (a folder).
Promises: what goes in was made and validated by programs that are not the gateway, and so is the judgement on what
comes out; the first thing that is not as published ends it with 1 and the reason.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from datetime import date, timedelta

import jsonschema
from peer import JSON, XML, Amqp, Http, new_id, now, text_at, to_xml, until

CENTRE, SCHOOL = "centre-vymysel", "school-test-17"


def hold(what, is_so, seen=""):
    if not is_so:
        raise SystemExit(f"not so: {what}\n{seen}")
    print(f"ok: {what}")


def is_valid_xml(content, schemas):
    """By libxml2's own program, against the published XSD."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(content)
        file.flush()
        command = ["xmllint", "--noout", "--schema", f"{schemas}/message.xsd", file.name]
        checked = subprocess.run(command, capture_output=True, text=True)
    if checked.returncode:
        print(checked.stderr)
    return checked.returncode == 0


def json_faults(value, schemas):
    with open(f"{schemas}/message.schema.json") as file:
        schema = json.load(file)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]


def request(due_on):
    """Markup characters, a supplementary plane and two lines: what a mapping by text would spoil."""
    return {
        "id": new_id(),
        "type": "request.information",
        "version": 1,
        "from": CENTRE,
        "to": [SCHOOL],
        "created_at": now(),
        "case": "СЛ-2026/014",
        "support": {"track": "difficult_situation", "level": "basic"},
        "registration": {"number": "01-12/345", "date": now()[:10]},
        "reply_by": due_on,
        "summary": "Запрос сведений о занятости: <срочно> & «важно»",
        "body": {
            "persons": [{"name": "Примеров Пример Примерович", "birth_date": "2014-03-09", "relation": "child"}],
            "questions": ["Посещает ли ребёнок занятия?", "Строка первая\nстрока вторая 🙂 <тег/> ]]>"],
            "requested_due": due_on,
        },
    }


def reply(asked):
    return {
        "id": new_id(),
        "exchange": asked["id"],
        "in_reply_to": asked["id"],
        "type": "reply.information",
        "version": 1,
        "from": SCHOOL,
        "to": [CENTRE],
        "created_at": now(),
        "registration": {"number": "исх-17/3", "date": now()[:10]},
        "summary": "Ответ на запрос",
        "body": {"answers": [{"question": asked["body"]["questions"][0], "answer": "Посещает <регулярно> & охотно."}],
                 "no_data": False},
    }


def ask(centre, schemas):
    """The centre's request leaves as XML; what was asked, with its due date."""
    due_on = (date.fromisoformat(now()[:10]) + timedelta(days=21)).isoformat()
    asked = request(due_on)
    document = to_xml(asked)
    hold("the request that lxml wrote is valid by the exported XSD (xmllint)", is_valid_xml(document, schemas))
    centre.publish("request.information", asked["id"], document, XML, correlation_id=asked["id"])
    return asked


def read_receipt(centre, asked, schemas):
    """The centre's receipt: the id of the obligation."""
    receipt = centre.next_letter("receipt.delivery")
    seen = receipt.content.decode()
    hold("the centre's receipt is XML that is valid by the exported XSD", is_valid_xml(receipt.content, schemas), seen)
    document = receipt.xml()
    hold("it answers the request", text_at(document, "in_reply_to") == asked["id"], seen)
    number = text_at(document, "body", "registration", "number")
    hold("it has the registration number", number == f"1/{now()[:4]}", seen)
    opened = [text_at(document, "body", "obligations", "item", name) for name in ("performer", "due_on", "reply_by_differs")]
    hold("it has the obligation and its due date", opened == [SCHOOL, asked["body"]["requested_due"], "false"], seen)
    return text_at(document, "body", "obligations", "item", "id")


def read_letter(school, asked, schemas):
    letter = school.next_letter("request.information")
    value, faults = letter.json(), json_faults(letter.json(), schemas)
    hold("the school's letter is JSON that is valid by the exported JSON Schema (jsonschema)", not faults, faults)
    hold("it says what was asked, field by field", value == asked, json.dumps(value, ensure_ascii=False, indent=1))
    properties = (letter.id, letter.content_type, letter.exchange)
    hold("its properties name it", properties == (asked["id"], JSON, asked["id"]), properties)
    return letter


def answer(http, asked):
    answered = reply(asked)
    status, outcome = http.post("/api/v1/messages", answered)
    outcome = json.loads(outcome)
    registration = (status, outcome["registration"]["number"], outcome["parked"])
    hold("the school's answer over HTTP is taken and registered", registration == (202, f"1/{now()[:4]}", False), outcome)
    status, again = http.post("/api/v1/messages", answered)
    hold("sent once more, it gets the same outcome", (status, json.loads(again)) == (200, outcome), again)
    return answered


def read_reply(centre, answered, schemas):
    letter = centre.next_letter("reply.information")
    seen = letter.content.decode()
    hold("the centre gets the answer as XML that is valid by the exported XSD", is_valid_xml(letter.content, schemas), seen)
    document = letter.xml()
    said = text_at(document, "body", "answers", "item", "answer")
    hold("it says what was answered", said == answered["body"]["answers"][0]["answer"], seen)
    hold("under the same id", (letter.id, text_at(document, "id")) == (answered["id"], answered["id"]), seen)
    hold("and nothing else waits for the centre", centre.is_empty())


def check_obligation(http, asked, obligation):
    shown = http.obligations("&direction=incoming")
    states = [(one["id"], one["state"], one["performer"]["code"], one["due_on"]) for one in shown]
    due_on = asked["body"]["requested_due"]
    hold("the obligation is fulfilled", states == [(obligation, "fulfilled", SCHOOL, due_on)], states)
    why = http.get(f"/api/v1/obligations/{obligation}/explanation")
    lines = "\n".join(why["lines"])
    named = [part for part in ("к установленной дате", "Дата названа в самом документе", "ГК РФ ст. 194") if part in lines]
    hold("the explanation names the day, the rule and the law", why["due_on"] == due_on and len(named) == 3, lines)
    hold("and the rule's source", why["source"] == "срок указан в самом документе" and why["rule_version"], why)


def check_journal(http, asked, answered, own):
    """Both sides, with the numbers of one participant's register."""
    outgoing, incoming = (asked, answered) if own == CENTRE else (answered, asked)
    year = now()[:4]
    lines = [(one["direction"], one["number"], one["message"], one["summary"]) for one in http.get("/api/v1/journal")["lines"]]
    expected = {
        ("outgoing", f"1/{year}", outgoing["id"], outgoing["summary"]),
        ("incoming", f"1/{year}", incoming["id"], incoming["summary"]),
    }
    hold(f"the journal of {own} has both sides with their numbers", len(lines) == 2 and set(lines) == expected, lines)


def register(school, https, asked, letter):
    """The school's own incoming number, over its queue; the centre sees it in the delivery."""
    notice = {
        "id": new_id(),
        "exchange": asked["id"],
        "in_reply_to": asked["id"],
        "type": "receipt.registration",
        "version": 1,
        "from": SCHOOL,
        "to": [CENTRE],
        "created_at": now(),
        "body": {
            "registration": {"number": "вх-901", "date": now()[:10]},
            "content_sha256": hashlib.sha256(letter.content).hexdigest(),
        },
    }
    school.publish(notice["type"], notice["id"], json.dumps(notice, ensure_ascii=False).encode(), JSON)
    school.next_letter("receipt.delivery")

    def delivery():
        shown = https[CENTRE].get(f"/api/v1/exchanges/{asked['id']}")["deliveries"]
        return next((one for one in shown if one["message"] == asked["id"] and one["state"] == "registered"), None)

    found = until("the delivery as registered", delivery)
    proof = (found["recipient"], found["registration_number"], found["content_sha256"])
    stated = (SCHOOL, "вх-901", notice["body"]["content_sha256"])
    hold("the delivery shows the school's number and the digest of what it got", proof == stated, found)


def main():
    with open(sys.argv[1]) as file:
        setup = json.load(file)
    schemas = setup["schemas"]
    centre, school = (Amqp(setup["amqp"][code], code) for code in (CENTRE, SCHOOL))
    https = {code: Http(setup["http"], key) for code, key in setup["keys"].items()}
    asked = ask(centre, schemas)
    obligation = read_receipt(centre, asked, schemas)
    letter = read_letter(school, asked, schemas)
    answered = answer(https[SCHOOL], asked)
    read_reply(centre, answered, schemas)
    check_obligation(https[CENTRE], asked, obligation)
    check_journal(https[CENTRE], asked, answered, CENTRE)
    check_journal(https[SCHOOL], asked, answered, SCHOOL)
    register(school, https, asked, letter)
    print("the story is whole")


if __name__ == "__main__":
    main()
