#!/usr/bin/env bash
# What one does without a client: the pages of a sub-ledger by curl, taken apart by
# jq, into a table by the sqlite3 shell.
#
#   curl.sh URL SERVICE_PEM TOKEN_FILE SUB_LEDGER FILE
#
# A page that is Loading is asked for again after 5 ms. Prints what the table holds.
set -eu -o pipefail

url=$1 service=$2 token=$(<"$3") sub_ledger=$4 file=$5
page=$file.json

pages() {
  local next="/app/transactions?api-version=2026-02-23&collectionId=$sub_ledger"
  while [ -n "$next" ]; do
    curl -sS --fail --noproxy '*' --cacert "$service" \
      -H "Authorization: Bearer $token" "$url$next" >"$page"
    if [ "$(jq -r .state "$page")" = Loading ]; then
      sleep 0.005
      continue
    fi
    jq -r '.entries[] | [.transactionId, .collectionId, .contents] | @csv' "$page"
    next=$(jq -r '.nextLink // ."@nextLink" // ""' "$page")
  done
}

sqlite3 -init /dev/null "$file" \
  'CREATE TABLE copy(transaction_id, sub_ledger, contents)'
pages | sqlite3 -batch -bail -init /dev/null -csv "$file" '.import /dev/stdin copy'
sqlite3 -init /dev/null "$file" 'SELECT count(*), sum(length(contents)) FROM copy'
rm -f "$page"
