# The seeds of tests/fuzz/receipt.c, from tests/vectors:
#
#   tclsh tests/fuzz/corpus.tcl DIRECTORY
package require Tcl 8.6
package require sqlite3

set into [lindex $argv 0]
file mkdir $into
sqlite3 db :memory:
foreach file [glob [file join [file dirname [info script]] .. vectors *.json]] {
  set f [open $file]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  db eval {
    SELECT $text->'$.answer' AS answer, $text->>'$.service_certificate' AS service,
      coalesce($text->'$.answer.applicationClaims', '') AS claims
  } {}
  set f [open $into/[file tail $file] wb]
  puts -nonewline $f [encoding convertto utf-8 $answer]\0$service
  if {$claims ne ""} { puts -nonewline $f \0[encoding convertto utf-8 $claims] }
  close $f
}
db close
