# Words for tests of credentials: a cloud's endpoints (cloudserver.tcl), fake
# developer tools on PATH, and a fresh ledger object with some environment.
# Sourced after tester.tcl.

set cloud $testdir/cloud
set SQLITE3 [lindex [auto_execok sqlite3] 0] ;# PATH changes below
file mkdir $cloud $testdir/bin

# Nothing of these comes from outside; IMDS is nowhere unless a test says so.
foreach name [array names env AZURE_*] { unset env($name) }
foreach name {IDENTITY_ENDPOINT IDENTITY_HEADER IMDS_ENDPOINT MSI_ENDPOINT
              IDENTITY_SERVER_THUMBPRINT} {
  unset -nocomplain env($name)
}

# Starts the endpoints; ::cloud_url is their http://127.0.0.1:PORT.
proc cloud_start {} {
  cloud_set token none
  spawn [info nameofexecutable] $::harness/cloudserver.tcl $::cloud \
    </dev/null >/dev/null 2>>$::cloud/server.err
  if {![wait_until {[file exists $::cloud/port]} 10000]} {
    error "no cloud: [harness_read $::cloud/server.err]"
  }
  set ::cloud_url http://127.0.0.1:[string trim [harness_read $::cloud/port]]
}

# Sets what the endpoints do: a flat list, in place of what was set before.
proc cloud_set args {
  set f [open $::cloud/config.new w]
  fconfigure $f -encoding utf-8
  puts $f $args
  close $f
  file rename -force $::cloud/config.new $::cloud/config
  file delete $::cloud/requests
}

# The requests since the last cloud_set, each {METHOD PATH QUERY HEADERS}.
proc cloud_requests {} {
  return [split [string trim [harness_read $::cloud/requests]] \n]
}

# A program on the tests' PATH: a shell script. $dir in it is its folder.
proc fake_tool {name script} {
  set f [open $::testdir/bin/$name w]
  puts $f "#!/bin/sh\ndir=$::testdir/bin\n$script"
  close $f
  file attributes $::testdir/bin/$name -permissions 0755
}

proc no_tools {} {
  foreach file [glob -nocomplain $::testdir/bin/*] { file delete $file }
}

# Runs a script with these variables in the environment and the fake tools
# alone on PATH, then takes them away.
proc with_env {variables script} {
  set path $::env(PATH)
  foreach {name value} $variables { set ::env($name) $value }
  if {![dict exists $variables PATH]} { set ::env(PATH) $::testdir/bin }
  set rc [catch { uplevel 1 $script } result options]
  foreach {name value} $variables { unset -nocomplain ::env($name) }
  set ::env(PATH) $path
  return -options $options $result
}

# Attaches `main` anew with these options (no token unless given), in this
# environment, and asks it something: {1 KIND} or the error {RC MESSAGE}. The ledger
# stays attached.
proc sign_in {variables options} {
  catch { db eval {SELECT ledger_detach()} }
  set sql [ledger_attach_sql [dict merge {token ""} $options]]
  with_env $variables {
    set got [catchsql $sql]
    if {![lindex $got 0]} { set got [catchsql {SELECT ledger_ping()}] }
  }
  if {[lindex $got 0]} { return [list [errorcode] [lindex $got 1]] }
  return [list 1 [db onecolumn {SELECT credential FROM ledger_attached}]]
}
