# Words for tests that speak REST to the emulator. Sourced after tester.tcl; $V is
# the test's api-version.

# `STATUS BODY` of a request; ::headers are the answer's. ARGS: ledger_rest's.
proc rest args {
  lassign [ledger_rest {*}$args] status body ::headers
  return "$status $body"
}
# `STATUS CODE` of one that is refused.
proc refusal args {
  set answer [rest {*}$args]
  return "[lindex [split $answer] 0] [json_get [string range $answer 4 end] {$.error.code}]"
}
# Stores a user-defined function, by `ask`, which the test has.
proc function {id code} {
  return [ask PUT /app/userDefinedFunctions/$id?$::V [json_object [dict create code $code]]]
}
# `Committed`, `Pending` or the code of the refusal.
proc state_of id {
  lassign [ledger_rest GET /app/transactions/$id/status?$::V] - body
  return [harness_db onecolumn {
    SELECT coalesce(json_extract($body, '$.state'), json_extract($body, '$.error.code'))
  }]
}
