#!/usr/bin/env bash
# A case over HTTP, as the centre leads it: placed, a consent registered, a request that cites it, another level, the log
# of who got what, closed. Needs curl and jq, and a gateway with the example participants.
#
#   mezhved participants import config/examples/participants.toml
#   CENTRE_KEY=$(mezhved keys create centre-vymysel) docs/examples/lead_case.sh
#
# MEZHVED_URL is where the gateway listens; without it http://127.0.0.1:8080.
set -euo pipefail
api=${MEZHVED_URL:-http://127.0.0.1:8080}/api/v1
: "${CENTRE_KEY:?the key of centre-vymysel}"
number=demo-$(date -u +%Y%m%d%H%M%S)

send() { # path, JSON on standard input: prints the answer, also a refusal
  curl -sS -H "Authorization: Bearer $CENTRE_KEY" -H 'Content-Type: application/json' --data-binary @- "$api/$1"
}

say() { printf '\n== %s\n' "$*"; }

uuid() { cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen | tr '[:upper:]' '[:lower:]'; }

request() { # the consent that it cites
  jq -n --arg id "$(uuid)" --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" --arg case "$number" --arg cited "$1" '{
    id: $id, type: "request.information", version: 1, from: "centre-vymysel", to: ["guardianship-test"],
    created_at: $now, case: $case, consent: {kind: "processing", reference: $cited}, summary: "Запрос сведений",
    body: {persons: [{name: "Примеров Пример Примерович", birth_date: "2014-03-09"}],
           questions: ["Состоит ли семья на учёте?"]}
  }' | send messages
}

say "the family is placed"
jq -n '{action: "open", track: "difficult_situation", level: "basic", reason: "Заявление"}' |
  send "cases/$number" | jq '{standing, track, level}'

say "a consent is registered, for one body"
jq -n '{action: "register_consent", kind: "processing", reference: "согласие № 7", bodies: ["guardianship-test"],
        from: "2026-01-01"}' | send "cases/$number" | jq '.consents'

say "a request that cites it goes out; one that cites another is refused"
request "согласие № 7" | jq '{registration, obligations}'
request "согласие № 8" | jq '{status, code, detail}'

say "the level changes; the form of levels"
jq -n '{action: "level", level: "crisis"}' | send "cases/$number" | jq '.levels'

say "who got what, on which ground"
curl -sS --fail-with-body -H "Authorization: Bearer $CENTRE_KEY" "$api/cases/$number/disclosures?format=csv"

say "support ends"
jq -n '{action: "close", reason: "программа выполнена"}' | send "cases/$number" | jq '{standing, closed_on, reason, participants}'
