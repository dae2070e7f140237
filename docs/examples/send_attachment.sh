#!/usr/bin/env bash
# A file goes with a message: the centre puts it under its SHA-256, names it in a request, and the guardianship fetches
# and checks it. Needs curl, jq and sha256sum, and a gateway with the example participants.
#
#   CENTRE_KEY=$(mezhved keys create centre-vymysel) PERFORMER_KEY=$(mezhved keys create guardianship-test) \
#     docs/examples/send_attachment.sh [FILE.pdf]
#
# MEZHVED_URL is where the gateway listens; without it http://127.0.0.1:8080.
set -euo pipefail
api=${MEZHVED_URL:-http://127.0.0.1:8080}/api/v1
: "${CENTRE_KEY:?the key of centre-vymysel}" "${PERFORMER_KEY:?the key of guardianship-test}"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
file=${1:-$work/annex.pdf}
[ -e "$file" ] || printf '%%PDF-1.7\n%% plainly artificial\n' >"$file"

call() { # key argument…: fails on a refusal, and prints it
  local key=$1
  shift
  curl -sS --fail-with-body -H "Authorization: Bearer $key" "$@"
}

sha256=$(sha256sum "$file" | cut -d' ' -f1)

echo "== the centre puts the file; -T streams it"
call "$CENTRE_KEY" -H 'Content-Type: application/pdf' -T "$file" "$api/attachments/$sha256" | jq .

echo "== and names it in a request"
jq -n --arg id "$(cat /proc/sys/kernel/random/uuid)" --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  --arg sha256 "$sha256" --argjson size "$(stat -c %s "$file")" '{
  id: $id, type: "request.information", version: 1, from: "centre-vymysel", to: ["guardianship-test"], created_at: $now,
  case: "СЛ-2026/021", summary: "Запрос с приложением",
  attachments: [{annex: 1, name: "Приложение.pdf", media_type: "application/pdf", size: $size, sha256: $sha256}],
  body: {persons: [{name: "Примеров Пример Примерович", birth_date: "2014-03-09"}], questions: ["Состоит ли семья на учёте?"]}
}' | call "$CENTRE_KEY" -H 'Content-Type: application/json' --data-binary @- "$api/messages" | jq .

echo "== the guardianship reads the digest in the letter, fetches the file and checks it"
letter=$(call "$PERFORMER_KEY" "$api/inbox" | jq -r --arg sha256 "$sha256" '[.letters[].content | fromjson? // empty | .attachments[]? | select(.sha256 == $sha256)][0]')
jq . <<<"$letter"
call "$PERFORMER_KEY" -o "$work/fetched" "$api/attachments/$sha256"
echo "$sha256  $work/fetched" | sha256sum -c -
