# The operations of the matrix (matrix.tcl): every function and every table.

# ---- functions --------------------------------------------------------------------

op append_text   ledger_append    write {
  SELECT ledger_append($text, 'w') GLOB '[0-9]*.[0-9]*' }
op append_wait   ledger_append    write {
  SELECT ledger_append($text, 'w') GLOB '[0-9]*.[0-9]*' }
op_options append_wait {api_version 2026-07-31-preview} ;# it answers when committed
op current       ledger_current   entry {
  SELECT json_extract(ledger_current('a'), '$.contents') }
op entry         ledger_entry     entry {
  SELECT json_extract(ledger_entry($id, 'a'), '$.contents') }
op status        ledger_status    ask { SELECT ledger_status($id) }
op wait          ledger_wait      status { SELECT ledger_wait($id) }
op ping          ledger_ping      ping { SELECT json_extract(ledger_ping(), '$.ledger') }
op receipt       ledger_receipt   entry {
  SELECT json_extract(ledger_receipt($id), '$.transactionId') }
op verify        ledger_verify    proof {
  SELECT json_extract(ledger_verify($id, 'a'), '$.valid', '$.code') }
op flush         ledger_flush     outbox {
  INSERT INTO ledger_outbox(contents, sub_ledger) VALUES($text, 'w');
  SELECT ledger_flush('{"settle_ms":0}') > 0 }
op flush_post    ledger_flush     outpost {
  INSERT INTO ledger_outbox(contents, sub_ledger) VALUES($text, 'w');
  SELECT ledger_flush('{"settle_ms":300}') > 0 }

op local_functions {ledger_attach ledger_check ledger_require ledger_detach ledger_option ledger_version
    ledger_debug ledger_self ledger_fingerprint ledger_txid_seqno ledger_txid_view
    ledger_last_transaction_id ledger_claims_digest ledger_verify_receipt
    ledger_receipt_is_valid ledger_quote_json ledger_cache_clear} local {
  SELECT ledger_attach('https://other.example', 'other'), ledger_detach('other'),
         ledger_option('wait'), ledger_version() <> '', ledger_debug() <> '',
         ledger_self(1) IS NULL, ledger_check(), ledger_require(1, ''), ledger_fingerprint($admin) <> '',
         ledger_txid_seqno('2.9'),
         ledger_txid_view('2.9'), ledger_last_transaction_id() <> '',
         ledger_claims_digest(json_extract($receipt, '$.applicationClaims')) <> '',
         json_extract(ledger_verify_receipt($receipt, $certificate), '$.valid'),
         ledger_receipt_is_valid($receipt, $certificate),
         json_valid(ledger_quote_json($quote)), ledger_cache_clear() }

# ---- tables -------------------------------------------------------------------------

op local_tables {ledger_attached ledger_appends ledger_http ledger_progress ledger_cache
    ledger_columns ledger_help} local {
  SELECT name FROM ledger_attached
   WHERE (SELECT count(*) FROM ledger_appends) >= 0
     AND (SELECT count(*) FROM ledger_columns) > 100
     AND (SELECT count(*) FROM ledger_help) > 100
     AND (SELECT count(*) FROM ledger_cache) = 0
     AND (SELECT count(*) FROM ledger_progress) = 0
     AND (SELECT count(*) FROM ledger_http) = 0 }
op identity      ledger_identity  trust { SELECT ledger_id, source FROM ledger_identity }
op range         ledger_entries   read {
  SELECT contents FROM ledger_entries WHERE sub_ledger = 'a' }
op prefetch      ledger_prefetch  read {
  SELECT json_extract(ledger_prefetch('a'), '$.rows') > 0 }
op_options prefetch {cache memory}
op bounds        ledger_entries   bounds {
  SELECT contents FROM ledger_entries WHERE sub_ledger = 'a' AND transaction_id >= $id }
op newest        ledger_entries   read {
  SELECT contents FROM ledger_entries WHERE sub_ledger = 'a'
   ORDER BY transaction_id DESC LIMIT 2 }
op tagged        ledger_entries   read {
  SELECT contents FROM ledger_entries WHERE sub_ledger = 'a' AND tags MATCH 'red' }
op all           ledger_entries   read {
  SELECT count(*) FROM ledger_entries WHERE contents GLOB '[ab][1-5]' }
op one           ledger_entries   entry {
  SELECT contents FROM ledger_entries WHERE sub_ledger = 'a' AND transaction_id = $id }
op search        ledger_entries   search {
  SELECT contents FROM ledger_entries WHERE transaction_id = $id }
op insert        ledger_entries   write {
  INSERT INTO ledger_entries(contents, sub_ledger) VALUES($text, 'w') }
op commit        ledger_entries   batch {
  BEGIN;
  INSERT INTO ledger_entries(contents, sub_ledger) VALUES($text, 'w'),
    ($text || ' second', 'w2'), ($text || ' third', 'w2');
  COMMIT }
op sub_ledgers   ledger_sub_ledgers read {
  SELECT sub_ledger FROM ledger_sub_ledgers WHERE sub_ledger IN ('a', 'b') }
op transactions  ledger_transactions ask {
  SELECT state FROM ledger_transactions WHERE transaction_id = $id }
op receipts      ledger_receipts  entry {
  SELECT transaction_id = $id, receipt <> '' FROM ledger_receipts WHERE transaction_id = $id }
op audit         ledger_audit     proofs {
  SELECT receipt_valid, verified, code FROM ledger_audit WHERE sub_ledger = 'a' }
op tags          ledger_tags      entry { SELECT sub_ledger, tag FROM ledger_tags WHERE sub_ledger = 'a' }
op users         ledger_users     read {
  SELECT role FROM ledger_users WHERE user_id LIKE '11111111-%' }
op user          ledger_users     entry {
  SELECT role FROM ledger_users WHERE user_id = '11111111-2222-3333-4444-555555555555' }
op role          ledger_roles     entry {
  SELECT role_actions FROM ledger_roles WHERE role_name = 'auditor' }
op functions     ledger_functions read { SELECT function_id, code FROM ledger_functions }
op endpoints     ledger_endpoints read { SELECT path, method, js_module FROM ledger_endpoints }
op modules       ledger_modules   entry { SELECT module FROM ledger_modules WHERE name = 'hello.js' }
op members       ledger_members   read { SELECT count(*) > 0, min(certificate) <> '' FROM ledger_members }
op constitution  ledger_constitution constitution { SELECT script <> '' FROM ledger_constitution }
op quotes        ledger_enclave_quotes quote {
  SELECT count(*), min(measurement) <> '' FROM ledger_enclave_quotes }
op_options quotes {api_version 2022-05-13} ;# later ones name no measurement beside the quote
op runtime       ledger_runtime_options read { SELECT json_valid(ledger_runtime_options()) }

# ---- changes: what is done, what was there before, how the ledger shows it ----------------

set reader {INSERT INTO ledger_users(user_id, role) VALUES($user, 'Reader')}
set is_reader {SELECT count(*) FROM ledger_users WHERE user_id = $user AND role = 'Reader'}
op user_insert   ledger_users     change $reader "" $is_reader
op user_patch    ledger_users     patch $reader "" $is_reader
op user_delete   ledger_users     delete { DELETE FROM ledger_users WHERE user_id = $user } \
  $reader $is_reader
op function_put  ledger_functions put {
  INSERT INTO ledger_functions VALUES('f' || $user, 'export function main() { return 1 }') } "" {
  SELECT count(*) FROM ledger_functions WHERE function_id = 'f' || $user }
op role_put      ledger_roles     put {
  INSERT INTO ledger_roles(role_name, role_actions)
    VALUES('r' || $user, '["Microsoft.ConfidentialLedger/ledger/users/read"]') } "" {
  SELECT count(*) FROM ledger_roles WHERE role_name = 'r' || $user }
op endpoint_put  ledger_endpoints bare {
  INSERT INTO ledger_endpoints(path, method, properties, module) VALUES('/' || $user, 'get',
    '{"authn_policies":[],"forwarding_required":"never","js_module":"hello.js","js_function":"hello"}',
    'export function hello(request) { return {body: "hi"} }') } "" {
  SELECT count(*) FROM ledger_endpoints WHERE path = '/' || $user }
op runtime_set   ledger_runtime_options run {
  SELECT json_extract(ledger_runtime_options('{"max_execution_time_ms":500}'), '$.max_execution_time_ms') }
op execute       ledger_execute   run { SELECT ledger_execute('f') }
