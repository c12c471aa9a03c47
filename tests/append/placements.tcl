# Operations on rows and what goes wrong with them, placed at random. Sourced by tests
# that have `db`, `witness`, a table local(x) and an outbox.
proc draw n { expr {int(rand() * $n)} }
proc one_of list { lindex $list [draw [llength $list]] }

# The SQL of an operation on n rows; each is a statement of its own where it is one
# to the user.
proc operation {what sub n} {
  set rows [lmap i [integers 1 $n] { set i "('$sub.$i', '$sub')" }]
  switch $what {
    commit { return [list "BEGIN; INSERT INTO local VALUES('$sub');
      INSERT INTO ledger_entries(contents, sub_ledger) VALUES [join $rows ,]; COMMIT"] }
    append { return [lmap row $rows { set row "SELECT ledger_append$row" }] }
    flush { return [list "INSERT INTO ledger_outbox(contents, sub_ledger) VALUES [join $rows ,]" \
      "SELECT ledger_flush()"] }
  }
}
# Runs it here, again while the answer is BUSY, as a program would. What it ends with.
proc run statements {
  foreach sql $statements {
    for {set try 0} {[catch {db eval $sql} message]} {incr try} {
      set code [errorcode]
      if {$code ne "BUSY" || $try == 5} {
        catch {db eval ROLLBACK}
        return "$code $message"
      }
      if {[string match BEGIN* $sql]} { set sql COMMIT }
    }
  }
  return OK
}

set post method=POST,path=/app/transactions
# As a list of specs; $nth and $nth2 are rows, $few is small, $late milliseconds.
set kinds {
  {election,$post,nth=$nth}
  {election,$post,nth=$nth election,$post,nth=$nth2}
  {election,method=GET,path=/app/transactions/*/status,nth=$few}
  {stop,for=120,$post,nth=$nth}
  {isolate,for=120,heal=120,$post,nth=$nth}
  {forward,delay=20,record=0,$post,nth=$nth}
  {forward,delay=20,record=1,$post,nth=$nth}
  {forward,delay=20,record=0,election=1,$post,nth=$nth}
  {forward,delay=20,record=1,election=1,$post,nth=$nth}
  {hold,for=$late,$post,nth=$nth}
  {hold,for=$late,$post,nth=$nth election,method=GET,path=/app/transactions/current*,nth=$few}
  {reset-after-record,$post,nth=$nth}
  {reset-before-record,$post,nth=$nth}
  {cut,$post,nth=$nth}
  {status=503,code=PrimaryNotFound,$post,nth=$nth,count=2}
  {reset-after-record,$post,nth=$nth election,$post,nth=$nth2}
}
