# What a ledger was asked, and what it is asked and told without the module: the
# log of its requests, its REST routes, its control routes, its faults. Sourced
# by tester.tcl, with ledgers that emulator.tcl has started.

# ---- what a ledger was asked -----------------------------------------------

# ledger_requests ?-name NAME? ?-all? ?-json?: the requests since the last
# ledger_requests_clear, as `GET /app/transactions?collectionId=c0`. Of the
# same request asked again after Loading or Pending only the last is told
# (-all: each). -json: the whole lines of the log.
proc ledger_requests args {
  array set o {-name "" -all 0 -json 0}
  harness_options o {-name value -all flag -json flag}
  set state $::harness_emulator($o(-name))
  set text [harness_read [dict get $state log] [dict get $state offset]]
  set lines {}
  foreach json [split $text \n] {
    if {$json eq ""} continue
    harness_db eval {
      SELECT json_extract($json,'$.method') AS method,
             json_extract($json,'$.path') AS path,
             coalesce(json_extract($json,'$.query'),'') AS query,
             coalesce(json_extract($json,'$.state'),'') AS state
    } row {}
    if {![string match /app/* $row(path)]} continue
    set query [join [lmap p [split $row(query) &] {
      if {[string match api-version=* $p]} continue
      set p
    }] &]
    set line "$row(method) $row(path)"
    if {$query ne ""} { append line ?$query }
    lappend lines $line $row(state) $json
  }
  # From the last to the first: what was asked for again later is known then.
  set found {}
  foreach {json state line} [lreverse $lines] {
    if {$state in {Loading Pending} && !$o(-all) && [info exists again($line)]} {
      continue
    }
    set again($line) 1
    lappend found [expr {$o(-json) ? $json : $line}]
  }
  return [lreverse $found]
}

# Those that a script makes, but for the polling of its appends.
proc requests_of script {
  ledger_requests_clear
  uplevel 1 $script
  return [lsearch -all -inline -not [ledger_requests] */status]
}

# How many of all the requests fit the pattern.
proc ledger_asked pattern {
  llength [lsearch -all [ledger_requests -all] $pattern]
}

# The connections by which requests came whose `METHOD PATH` fits: their number.
proc ledger_connections {pattern {name ""}} {
  foreach json [ledger_requests -name $name -all -json] {
    if {[string match $pattern "[json_get $json {$.method}] [json_get $json {$.path}]"]} {
      dict set seen [json_get $json {$.connection}] 1
    }
  }
  return [expr {[info exists seen] ? [dict size $seen] : 0}]
}

proc ledger_requests_clear args {
  array set o {-name ""}
  harness_options o {-name value}
  set log [dict get $::harness_emulator($o(-name)) log]
  dict set ::harness_emulator($o(-name)) offset \
    [expr {[file exists $log] ? [file size $log] : 0}]
}

# ---- asking a ledger without the module ------------------------------------

# ledger_rest ?-name NAME? ?-token T? ?-header H? METHOD PATH ?BODY?: one
# request by the curl command, as administrator (-token "": as nobody). Answers
# {STATUS BODY HEADERS}.
proc ledger_rest args {
  array set o {-name "" -header ""}
  harness_options o {-name value -token value -header value}
  array set told [array get [ledger_array $o(-name)]]
  if {![info exists o(-token)]} { set o(-token) $told(token) }
  lassign $args method path body
  set curl [list curl -sS -i --http1.1 --max-time 60 \
    --cacert $told(service_certificate) -X $method]
  if {$o(-token) ne ""} {
    lappend curl -H "Authorization: Bearer $o(-token)"
  }
  if {$o(-header) ne ""} { lappend curl -H $o(-header) }
  if {[llength $args] > 2} {
    lappend curl -H "Content-Type: application/json" --data-binary $body
  }
  set answer [exec {*}$curl $told(url)$path]
  if {![regexp {^HTTP/1.1 (\d+)[^\n]*\n(.*?)\r?\n\r?(?:\n(.*))?$} \
        $answer -> status headers text]} {
    error "no HTTP answer: $answer"
  }
  return [list $status $text $headers]
}

# ledger_control ?-name NAME? METHOD PATH ?JSON?: the emulator's control route.
# Goes to the identity host, whose certificate no fault of the ledger changes.
proc ledger_control args {
  array set o {-name ""}
  harness_options o {-name value}
  array set told [array get [ledger_array $o(-name)]]
  lassign $args method path json
  set curl [list curl -sS --fail-with-body --max-time 60 \
    --cacert $told(ca_file) -X $method]
  if {$json ne ""} {
    lappend curl -H "Content-Type: application/json" --data-binary $json
  }
  return [exec {*}$curl $told(identity_url)$path]
}

# Appends an entry; its id.
proc post {contents {query ""} {name ""}} {
  lassign [ledger_rest -name $name POST /app/transactions?api-version=2026-02-23$query \
    [json_object contents $contents]] status body headers
  if {![regexp -line {^x-ms-ccf-transaction-id: (\d+\.\d+)\r?$} $headers -> id]} {
    error "no id: $status $body"
  }
  return $id
}

# A token of the emulator's authority, of JSON: {"roles":["Reader"],"expires_in":-5}.
# MEMBER oid: a token's user instead.
proc make_token {{json {{}}} {member access_token} {name ""}} {
  json_get [ledger_control -name $name POST /control/token $json] $.$member
}

# A member of what a ledger tells of itself: view, last, committed, pending, ...
proc ledger_state {member {name ""}} {
  json_get [ledger_control -name $name GET /control/state] $.$member
}

# Waits until nothing that was appended is pending.
proc settle {{name ""}} { wait_until {[ledger_state pending $name] == 0} }

# Whether what is appended stays pending: true or false.
proc hold {on {name ""}} {
  ledger_control -name $name POST /control/signatures "{\"hold\":$on}"
}

# A new view, with another primary: what is pending is lost, and sessions are, or
# they are kept.
proc elect {{name ""} {sessions lost}} {
  ledger_control -name $name POST /control/election [json_object sessions $sessions]
}

# Two views on, with another service key.
proc recover {{name ""}} { ledger_control -name $name POST /control/recovery {{}} }

# ---- faults ----------------------------------------------------------------

# fault ?-name LEDGER? ?-add? ?-body TEXT? SPEC...: the faults of a ledger are
# these, in place of what they were (-add: besides those); without one, there is
# none. -body is what the fault `answer` answers. Answers the list of faults.
proc fault args {
  array set o {-name "" -add 0}
  harness_options o {-name value -add flag -body value}
  set clear [expr {!$o(-add)}]
  foreach spec $args {
    set json [list clear [expr {$clear ? "true" : "false"}] spec $spec]
    if {[info exists o(-body)]} { lappend json body $o(-body) }
    set faults [ledger_control -name $o(-name) POST /control/fault [json_object $json]]
    set clear 0
  }
  if {$clear} { set faults [no_fault $o(-name)] }
  return $faults
}

proc no_fault {{name ""}} { ledger_control -name $name DELETE /control/fault }

# How often the fault of that number, from 0, has struck.
proc fault_struck {{i 0} {name ""}} {
  json_get [ledger_control -name $name GET /control/fault] "\$\[$i\].struck"
}
