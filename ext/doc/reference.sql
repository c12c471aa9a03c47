-- The reference page, from what the module says of itself: ledger_reference and
-- ledger_columns. `make doc` runs it in the sqlite3 shell, in list mode, and
-- puts reference.md.in in front.
SELECT '## Tables';
SELECT '
### ' || name || '

' || upper(substr(description, 1, 1)) || substr(description, 2) || '.'
       || coalesce(' Writable: ' || writes || '.', '')
       || iif(c.request = 'none', ' Makes no request.',
              ' Requests: `' || c.request || '`' ||
              iif(c.since IS NULL OR c.since = '0.1-preview', '',
                  ', from API version ' || c.since) || '.')
       || '

| column | type | |
|---|---|---|
' || (SELECT group_concat('| ' || iif(hidden, '[' || column_name || ']', column_name)
                          || ' | ' || type || ' | ' || replace(description, '|', '\|')
                          || ' |', char(10))
        FROM (SELECT * FROM ledger_columns AS d
               WHERE d.table_name = r.name ORDER BY d.position))
  FROM ledger_reference AS r
  JOIN (SELECT DISTINCT table_name, request, since FROM ledger_columns) AS c
    ON c.table_name = r.name
 WHERE r.kind = 'table';
SELECT '
## Functions

| function | |
|---|---|';
SELECT '| `' || signature || '` | ' || replace(description, '|', '\|') || ' |'
  FROM ledger_reference WHERE kind = 'function' ORDER BY name;
SELECT '
## Options

| option | default | |
|---|---|---|';
SELECT '| `' || name || '` | ' || iif(signature = '', '', '`' || signature || '`')
       || ' | ' || replace(description, '|', '\|') || ' |'
  FROM ledger_reference WHERE kind = 'option' ORDER BY name;
