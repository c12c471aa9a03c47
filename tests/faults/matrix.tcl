# The matrix of operations and faults, sourced by tests/faults.
#
# An operation is a line `op NAME COVERS CLASS SQL`: what a user would write,
# with the functions and tables it stands for. COVERS of all operations together
# is the module's surface: faults/surface checks it, so that a new function or
# table without a line fails. A fault is a line of columns.tcl: what goes
# wrong, and what each class of operation must make of it. A cell is one operation
# under one fault: a fresh connection to the ledger, the fault set, the SQL run.
#
# Every cell asserts
#   - the right rows (those of a run without fault) or one of the errors that
#     the fault's line names, by code and message;
#   - of what it appended: on the ledger once where it succeeded, at most once
#     where the outcome is unknown, not at all where it is certain;
#   - that it ended within a bound that has nothing to do with the machine's
#     speed: what timeout_ms and retry_budget_ms allow, and much patience.
#
# Classes, and the class whose outcomes hold where a fault names none for it
#   local            makes no request, so that no fault changes it
#   trust            asks the identity service alone
#   read             GET, repeated as often as need be
#   entry -> read    the same; a 404 means "there is none"
#   ping -> read     the same; a 404 does, it answers
#   search -> entry  the same in every sub-ledger: the first answer is a 404
#   status -> read   the same; a 404 or 406 means "not yet"
#   ask -> status    the same, asked once
#   bounds -> read   a 400 makes it read the whole range
#   write -> read    POST of an entry, `$text` its contents
#   batch -> write   three of them in one transaction
#   outbox -> read   ledger_flush(): its first request is a GET
#   outpost          the same, the fault strikes a POST: it settles what is
#                    unknown by itself
#   change -> read   a write that is no entry, `$user` its user: the first
#                    request is a GET
#   patch, put -> write  the same, the fault strikes the PATCH, the PUT
#   bare -> write    the same, a PUT whose answer has no body
#   delete -> bare   the same, a DELETE, which libcurl may repeat
#   proof -> entry   what a receipt proves of one entry
#   proofs, constitution, quote -> read  what is checked as it is read
#   run -> write     a change that is no row, and whose answer is asked for
source [file join [file dirname [info script]] .. harness tester.tcl]

array set struck {outpost POST patch PATCH put PUT bare PUT delete DELETE}
set users 0
set ops {}
proc op {name covers class sql {before ""} {check ""}} {
  lappend ::ops $name
  set ::op($name,check) $check
  if {$before ne ""} { set ::op($name,before) $before }
  set ::op($name,covers) $covers
  set ::op($name,class) $class
  set ::op($name,sql) $sql
}

# What a request of the matrix may take at most: three attempts of timeout_ms,
# the budget of retries and settling; ten times that.
set bound_ms 30000
set options {timeout_ms 4000 retry_budget_ms 1000 retry_first_ms 5
             first_contact_ms 500 max_response_bytes 1000000}
set hasty {timeout_ms 300 retry_budget_ms 100 retry_first_ms 5
           first_contact_ms 300 max_response_bytes 1000000}

source [file join [file dirname [info script]] columns.tcl]

# ---- what there is to read ----------------------------------------------------------

# Starts the ledger of the matrix, and its contents: five entries of sub-ledger
# `a`, two of `b`; ::id is one of `a`.
proc matrix_start {} {
  ledger_start {page 3}
  db eval [sql_script outbox]
  db eval {
    INSERT INTO ledger_entries(sub_ledger, contents, tags) VALUES
      ('a', 'a1', NULL), ('a', 'a2', 'red'), ('a', 'a3', 'red,blue'),
      ('a', 'a4', NULL), ('a', 'a5', 'blue'), ('b', 'b1', NULL), ('b', 'b2', 'red'),
      ('subledger:0', 'd1', NULL);
  }
  set ::id [db onecolumn {SELECT transaction_id FROM ledger_entries
                           WHERE sub_ledger = 'a' AND contents = 'a3'}]
  set ::receipt [db onecolumn {SELECT ledger_receipt($::id)}]
  set ::certificate [db onecolumn {SELECT certificate FROM ledger_identity}]
  matrix_governance
  set ::secret [list client_id $::ledger(client_id) client_secret $::ledger(client_secret) \
    tenant_id $::ledger(tenant_id) authority $::ledger(authority)]
  set ::quote [db onecolumn {SELECT raw_quote FROM ledger_enclave_quotes}]
  set ::admin [harness_read $::ledger(admin_certificate)]
}

# Users, roles and so on, where the module has tables of them.
proc matrix_governance {} {
  db eval {
    INSERT INTO ledger_users(user_id, role) VALUES('11111111-2222-3333-4444-555555555555', 'Reader');
    INSERT INTO ledger_roles(role_name, role_actions)
      VALUES('auditor', '["Microsoft.ConfidentialLedger/ledger/users/read"]');
    INSERT INTO ledger_functions VALUES('f', 'export function main() { return "hello" }');
    INSERT INTO ledger_endpoints(path, method, properties, module) VALUES('/hello', 'get',
      '{"authn_policies":[],"forwarding_required":"never","js_module":"hello.js","js_function":"hello"}',
      'export function hello(request) { return {body: "hi"} }');
  }
}

# A connection that knows nothing yet, and one fault.
proc matrix_set {spec options} {
  catch { db eval {ROLLBACK} }
  db eval {SELECT ledger_detach()}
  db eval [ledger_attach_sql $options]
  if {$spec ne ""} { fault $spec }
}

# ---- cells -----------------------------------------------------------------------------

# What the SQL makes: {right ROWS} or {CODE MESSAGE}.
proc matrix_run {name} {
  global op text user id receipt certificate admin quote
  set got [catchsql $op($name,sql)]
  if {[lindex $got 0] == 0} { return [list right [lindex $got 1]] }
  return [list [errorcode] [lindex $got 1]]
}

# The outcome that fits, or "".
proc matrix_fits {outcomes got right} {
  lassign $got code text
  foreach outcome $outcomes {
    if {$outcome eq "right"} {
      if {$code eq "right" && $text eq $right} { return right }
    } elseif {[lindex $outcome 0] eq "rows"} {
      if {$code eq "right" && $text eq [lindex $outcome 1]} { return right }
    } elseif {[regexp ^[lindex $outcome 0]$ $code]
              && [regexp [join [lrange $outcome 1 end]] $text]
              && [regexp {^ledger: } $text]} {
      return error
    }
  }
  return ""
}

# The outcomes of a class under a fault.
proc matrix_outcomes {outcomes class spec} {
  if {$class eq "local"} { return right }
  if {$class eq "trust"} {
    if {![regexp {/ledgerIdentity/|/oauth2/} $spec]} { return right }
    set class read
  }
  while {![dict exists $outcomes $class]} {
    set class [dict get $::falls_back $class]
  }
  return [dict get $outcomes $class]
}

# Options of the ledger that an operation needs: op_options NAME LIST.
proc op_options {name options} { set ::op($name,options) $options }
proc matrix_options name {
  if {[info exists ::op($name,options)]} { return $::op($name,options) }
  return {}
}

# Waits until what was held on its way is carried out: a change that comes later
# would undo one that another cell makes meanwhile.
proc matrix_held {} {
  set n [fault_struck]
  wait_until {[regexp -all {"fault":"hold"} [ledger_requests -all -json]] >= $n}
}

# A cell. Notes in ::appended what the ledger may hold of it afterwards.
proc matrix_cell {name fault spec outcomes options} {
  global op text appended
  set class $op($name,class)
  if {[info exists ::struck($class)]
      && ![regexp {^certificate|^behind|ledgerIdentity|oauth2} $spec]} {
    regsub {method=,} $spec {} spec
    append spec ,method=$::struck($class)
    if {![regexp path= $spec]} { append spec ,path=/app/* }
  }
  # It waits for nothing (settle_ms 0): a POST that is held is for outpost.
  if {$class eq "outbox"} { regsub {method=POST} $spec {method=GET} spec }
  set allowed [matrix_outcomes $outcomes $class $spec]
  lappend options {*}[matrix_options $name]
  set text "$name $fault"
  set ::user [format %08x-0000-0000-0000-000000000000 [incr ::users]]
  if {[info exists op($name,before)]} {
    matrix_set "" $::options
    no_fault
    set user $::user
    db eval $op($name,before)
  }
  matrix_set $spec $options
  ledger_requests_clear
  set t0 [clock milliseconds]
  set got [matrix_run $name]
  set ms [expr {[clock milliseconds] - $t0}]
  if {[regexp {^hold} $spec] && $op($name,check) ne ""} { matrix_held }
  set fits [matrix_fits $allowed $got $op($name,right)]
  if {$fits eq ""} {
    harness_check $name/$fault $allowed $got 0
    incr ::cells(failed)
  } elseif {$ms > $::bound_ms * $::timescale} {
    harness_check $name/$fault "at most $::bound_ms ms" $ms 0
    incr ::cells(failed)
  } else {
    harness_result ok [harness_name $name/$fault]
    incr ::cells(ok)
  }
  if {$class in {write batch outbox outpost}} {
    if {[lindex $got 0] eq "right"} {
      dict set appended $text 1
    } elseif {$class in {outbox outpost} || [regexp \
        {unknown|no answer came|may or may not|accepted|took rows} [lindex $got 1]]} {
      dict set appended $text {0 1}
    } else {
      dict set appended $text 0
    }
  }
  if {$op($name,check) ne ""} {
    set is [expr {$class ne "delete"}]
    if {[lindex $got 0] eq "right"} {
      set allowed $is
    } elseif {[regexp {unknown|no answer came|may or may not|accepted|took} [lindex $got 1]]} {
      set allowed {0 1}
    } else {
      set allowed [expr {!$is}]
    }
    dict set ::changed [list $name $fault $::user] $allowed
  }
}

# All cells of the operations, their witness and their table.
proc matrix names {
  global op faults cells appended
  array set cells {ok 0 failed 0}
  set ::changed {}
  set appended {}
  set started [clock milliseconds]
  foreach name $names {
    matrix_set "" [concat $::options [matrix_options $name]]
    no_fault
    set ::text "$name without fault"
    set ::user [format %08x-0000-0000-0000-000000000000 [incr ::users]]
    if {[info exists op($name,before)]} { set user $::user; db eval $op($name,before) }
    set got [matrix_run $name]
    do_test $name/right { lindex $got 0 } right
    set op($name,right) [lindex $got 1]
    if {$op($name,class) in {write batch outbox outpost}} { dict set appended $::text 1 }
    set before [array get cells]
    foreach {fault spec outcomes} $faults {
      set options $::options
      switch -regexp $fault {
        :hasty$ { set options $::hasty }
        :secret$ { lappend options token "" {*}$::secret }
      }
      regsub {:.*$} $fault {} fault
      matrix_cell $name $fault $spec $outcomes $options
    }
    puts [format {= %-22s %3d cells, %3d passed} $name \
      [expr {$cells(ok) + $cells(failed) - [dict get $before ok] - [dict get $before failed]}] \
      [expr {$cells(ok) - [dict get $before ok]}]]
  }
  # The witness is the ledger itself. What the outbox still has is sent first.
  no_fault
  matrix_set "" $::options
  if {[lsearch $names *flush*] >= 0} {
    db eval {DELETE FROM ledger_outbox WHERE state = 'refused'}
    db eval {SELECT ledger_flush('{"settle_ms":100}')}
    db eval {SELECT contents FROM ledger_outbox} row { dict set appended $row(contents) 1 }
    do_test outbox/left {
      db eval {SELECT count(*) FROM ledger_outbox WHERE state <> 'committed'}
    } 0
  }
  set held {}
  db eval {SELECT contents FROM ledger_entries WHERE sub_ledger = 'w'} row {
    dict incr held $row(contents)
  }
  set wrong {}
  dict for {text allowed} $appended {
    set n 0
    if {[dict exists $held $text]} { set n [dict get $held $text] }
    if {$n ni $allowed} { lappend wrong "$text: $n, not $allowed" }
    dict unset held $text
  }
  do_test witness/lost_or_doubled { set wrong } {}
  do_test witness/unheard_of { set held } {}
  set wrong {}
  dict for {key allowed} $::changed {
    lassign $key name fault user
    set n [db onecolumn $op($name,check)]
    if {$n ni $allowed} { lappend wrong "$name $fault: $n, not $allowed" }
  }
  do_test witness/changes { set wrong } {}
  puts [format {= %-22s %3d cells, %3d passed, %.0f s} "[llength $names] operations" \
    [expr {$cells(ok) + $cells(failed)}] $cells(ok) \
    [expr {([clock milliseconds] - $started) / 1000.0}]]
}
