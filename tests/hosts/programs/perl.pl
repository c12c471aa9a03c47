use strict;
use warnings;
use DBI;

my $db = DBI->connect('dbi:SQLite:dbname=:memory:', '', '',
  { RaiseError => 1, PrintError => 0 });
$db->sqlite_enable_load_extension(1);
$db->sqlite_load_extension('./build/ledger');
print $db->{sqlite_version}, "\n";

$db->begin_work; # sent at commit
$db->do('INSERT INTO ledger_entries(contents, sub_ledger) VALUES(?, ?)',
  undef, 'hello', 'perl');
$db->commit;
print "$_->[0]\n" for @{ $db->selectall_arrayref(
  'SELECT contents FROM ledger_entries WHERE sub_ledger = ?', undef, 'perl') };
print "$_->[0]\n" for @{ $db->selectall_arrayref(
  'SELECT content FROM ledger_audit WHERE sub_ledger = ? AND verified',
  undef, 'perl') };
eval { $db->do('DELETE FROM ledger_entries') } or print $db->errstr, "\n";
