#!/usr/bin/env bash
# One exchange over HTTP, from both sides: the centre asks in XML, the guardianship reads JSON, registers, answers, and
# the centre sees what became of the obligation. Needs curl and jq, and a gateway with the example participants.
#
#   mezhved participants import config/examples/participants.toml
#   CENTRE_KEY=$(mezhved keys create centre-vymysel) PERFORMER_KEY=$(mezhved keys create guardianship-test) \
#     docs/examples/send_request.sh
#
# MEZHVED_URL is where the gateway listens; without it http://127.0.0.1:8080.
set -euo pipefail
api=${MEZHVED_URL:-http://127.0.0.1:8080}/api/v1
: "${CENTRE_KEY:?the key of centre-vymysel}" "${PERFORMER_KEY:?the key of guardianship-test}"

call() { # key argument…: fails on a refusal, and prints it
  local key=$1
  shift
  curl -sS --fail-with-body -H "Authorization: Bearer $key" "$@"
}

say() { printf '\n== %s\n' "$*"; }

uuid() { cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen | tr '[:upper:]' '[:lower:]'; }

id=$(uuid)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

say "the centre asks (XML); the receipt names the obligation and its due date"
receipt=$(
  call "$CENTRE_KEY" -H 'Content-Type: application/xml' --data-binary @- "$api/messages" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<message xmlns="urn:mezhved:message:1">
  <id>$id</id>
  <type>request.information</type>
  <version>1</version>
  <from>centre-vymysel</from>
  <to><item>guardianship-test</item></to>
  <created_at>$now</created_at>
  <case>СЛ-2026/020</case>
  <summary>Запрос сведений о составе семьи</summary>
  <body xmlns="urn:mezhved:request.information:1">
    <persons><item><name>Примеров Пример Примерович</name><birth_date>2014-03-09</birth_date></item></persons>
    <questions><item>Состоит ли семья на учёте?</item></questions>
  </body>
</message>
XML
)
jq . <<<"$receipt"
obligation=$(jq -r '.obligations[0].id' <<<"$receipt")

say "why this date"
call "$CENTRE_KEY" "$api/obligations/$obligation/explanation" | jq -r '.lines[]'

say "the guardianship finds the letter in its inbox (JSON)"
letter=$(call "$PERFORMER_KEY" "$api/inbox" | jq --arg id "$id" '.letters[] | select(.id == $id)')
jq -r .content <<<"$letter" | jq .

say "... and registers it under its own incoming number; the digest proves what was registered"
jq '{accepted: true, content_sha256, number: "вх-1"}' <<<"$letter" |
  call "$PERFORMER_KEY" -H 'Content-Type: application/json' --data-binary @- "$api/inbox/$id/registration" | jq .

say "... and answers"
jq -n --arg id "$(uuid)" --arg request "$id" --arg now "$now" '{
  id: $id, in_reply_to: $request, type: "reply.information", version: 1,
  from: "guardianship-test", to: ["centre-vymysel"], created_at: $now,
  summary: "Ответ на запрос", body: {answers: [{answer: "Не состоит."}], no_data: false}
}' | call "$PERFORMER_KEY" -H 'Content-Type: application/json' --data-binary @- "$api/messages" | jq .

say "the obligation is closed"
call "$CENTRE_KEY" "$api/obligations/$obligation" | jq '{state, due_on, answered_at, late_by_working_days}'
