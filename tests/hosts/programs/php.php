<?php
$db = new SQLite3(':memory:');
$db->enableExceptions(true);
$db->loadExtension('ledger.so'); // in the folder of sqlite3.extension_dir
echo SQLite3::version()['versionString'], "\n";

$db->exec("BEGIN"); // sent at COMMIT
$db->exec("INSERT INTO ledger_entries(contents, sub_ledger)
           VALUES('hello', 'php')");
$db->exec("COMMIT");
$rows = $db->query("SELECT contents FROM ledger_entries
                     WHERE sub_ledger = 'php'");
while ($row = $rows->fetchArray(SQLITE3_ASSOC)) echo $row['contents'], "\n";
echo $db->querySingle("SELECT content FROM ledger_audit
                        WHERE sub_ledger = 'php' AND verified"), "\n";
try {
  $db->exec("DELETE FROM ledger_entries");
} catch (Exception $error) {
  echo $error->getMessage(), "\n";
}
