<?php
$db = new Pdo\Sqlite('sqlite::memory:');
$db->loadExtension('./build/ledger.so');
echo $db->query("SELECT sqlite_version()")->fetchColumn(), "\n";

$db->beginTransaction(); // sent at commit()
$insert = $db->prepare("INSERT INTO ledger_entries(contents, sub_ledger)
                        VALUES(?, ?)");
$insert->execute(['hello', 'pdo']);
$db->commit();
foreach ($db->query("SELECT contents FROM ledger_entries
                      WHERE sub_ledger = 'pdo'") as $row) {
  echo $row['contents'], "\n";
}
echo $db->query("SELECT content FROM ledger_audit
                  WHERE sub_ledger = 'pdo' AND verified")->fetchColumn(), "\n";
try {
  $db->exec("DELETE FROM ledger_entries");
} catch (PDOException $error) {
  echo $error->getMessage(), "\n";
}
