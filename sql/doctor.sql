-- What is right and what is wrong between here and each attached ledger: a line
-- per check, which says `ok`, or what to do. Nothing is written, to no ledger and
-- no database.
--
--     sqlite3 -cmd '.load ./build/ledger' -cmd "SELECT ledger_attach('my-ledger')" \
--       < sql/doctor.sql
--
-- or `.read sql/doctor.sql` in a session, whose settings and temporary tables stay
-- as they are (but `.bail` is off then); without ledger_attach() it looks at the ledger
-- of LEDGER_URL and LEDGER_OPTIONS. The exit status is 1 where a check is not ok.

.bail on
SELECT 1 WHERE NOT ledger_check(/* load the module first: .load ./build/ledger */);
-- What goes wrong from here on is what it tells of.
.bail off

-- What an earlier run left that did not come to its end.
DROP TABLE IF EXISTS temp.ledger_doctor; DROP TABLE IF EXISTS temp.ledger_doctor_line;
CREATE TABLE temp.ledger_doctor AS
  SELECT a.name AS ledger, ledger_ping(a.name, '{"report":true}') AS report, NULL AS roles
    FROM (SELECT 1) LEFT JOIN ledger_attached AS a;

UPDATE temp.ledger_doctor SET ledger = report->>'$.ledger';

-- Who the ledger says that the caller is. A statement that fails says why.
UPDATE temp.ledger_doctor AS d
   SET roles = coalesce((SELECT u.roles FROM ledger_users AS u
                          WHERE u.ledger = d.ledger AND u.user_id = d.report->>'$.principal'),
                        '[]')
 WHERE d.report->>'$.step' IS NULL AND d.report->>'$.principal' IS NOT NULL;

CREATE TABLE temp.ledger_doctor_line AS
WITH d AS MATERIALIZED (
  SELECT ledger, roles, report->>'$.url' AS url, report->>'$.step' AS step,
         report->>'$.code' AS code, report->>'$.cause' AS cause, substr(report->>'$.error', 9) AS error,
         report->>'$.key_sha256' AS key, report->>'$.source' AS source,
         report->>'$.not_after' AS not_after, report->>'$.credential' AS kind,
         report->>'$.principal' AS principal, report->>'$.milliseconds' AS ms,
         report->>'$.clock_skew_seconds' AS skew, report->>'$.clock_of' AS clock_of, report->>'$.api_version' AS version,
         report->>'$.api_versions' AS versions,
         julianday(report->>'$.not_after') - julianday('now') AS days
    FROM temp.ledger_doctor
), remedy(n, step, kind, cause, advice) AS (VALUES
  -- The first that fits. Where there is none, the error says it.
  (1, 'attach', '*', '*', ''),
  (2, '*', '*', 'no_role', ''),
  (3, 'credential', 'managed_identity', 'not_set_up', 'a managed identity is there only on a machine of Azure that was given one: choose another credential'),
  (4, 'credential', 'managed_identity', 'unreachable', 'a managed identity is there only on a machine of Azure that was given one: choose another credential'),
  (5, '*', '*', 'unreachable', 'check the name given to ledger_attach(), and the network: firewall, proxy, private endpoint'),
  (6, '*', '*', 'no_ledger', 'check the name given to ledger_attach(), or option ledger_id'),
  (7, '*', '*', 'other_key', 'if the ledger was recovered or made anew, pin its new key (option service_key); else this is not your ledger'),
  (8, '*', '*', 'dates', 'see the line "clock"; if that is ok, the operator of the ledger has to renew the certificate'),
  (9, '*', '*', 'refused', 'give it a fresh token, for the scope https://confidential-ledger.azure.com/.default; see the line "clock" too'),
  (10, '*', '*', 'no_credential', 'set one of them up: run ''az login'', or set what it names; option credential chooses one'),
  (11, 'credential', '*', 'unreadable_file', ''),
  (12, '*', '*', 'bad_name', 'set it to one of these, or unset it'),
  (13, 'credential', 'az*', 'not_set_up', ''),
  (14, 'credential', 'azure_cli', '*', 'run ''az login'' and try: az account get-access-token --resource https://confidential-ledger.azure.com'),
  (15, 'credential', 'azd', '*', 'run ''azd auth login'' and try: azd auth token --output json'),
  (16, 'credential', 'environment', 'not_set_up', 'set these variables where sqlite3 is started, or choose another credential'),
  (17, 'credential', 'workload_identity', 'not_set_up', 'set these variables where sqlite3 is started, or choose another credential'),
  (18, 'credential', 'managed_identity', '*', 'give this machine a managed identity; option client_id names a user-assigned one'),
  (19, 'credential', 'token', '*', 'set that option in ledger_attach(), or choose another credential'),
  (20, 'credential', 'user_certificate', '*', 'set that option in ledger_attach(), or choose another credential'),
  (21, 'credential', 'client_certificate', '*', 'check options tenant_id, client_id, client_certificate and client_certificate_password'),
  (22, 'credential', '*', '*', 'check options tenant_id, client_id and client_secret (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), or choose another credential'),
  (23, '*', '*', 'BUSY', 'the ledger is busy or down: try again later; options timeout_ms, retry_budget_ms'),
  (24, '*', '*', '*', 'SELECT * FROM ledger_http; SELECT ledger_option(''log'', ''debug'') shows more')
), advised AS (
  SELECT d.*, (SELECT error || iif(r.advice = '', '', ' -> ' || r.advice) FROM remedy AS r
                WHERE d.step GLOB r.step AND coalesce(d.kind, '') GLOB r.kind
                  AND coalesce(d.cause, d.code) GLOB r.cause
                ORDER BY r.n LIMIT 1) AS advice
    FROM d
), line(n, ledger, name, result) AS (
  SELECT 0, '', 'module',
         CASE ledger_debug('nested statements') WHEN 'shown' THEN 'ok: '
           WHEN 'not tested'
           THEN 'the host let nothing run while it loaded the module, so it was not tried whether SQLite '
             || 'shows that a database file makes it act -> load it before the authorizer is set; '
           ELSE 'this SQLite does not show that a database file makes the module act '
             || '-> open only files that you trust; see SECURITY.md; ' END
         || 'version ' || ledger_version() || ', SQLite ' || sqlite_version()
         || ', libcurl ' || replace(ledger_debug('libcurl'), '/', ' ')
  UNION ALL
  SELECT 1, ledger, 'attached', CASE step WHEN 'attach' THEN error ELSE 'ok: ' || url END FROM d
  UNION ALL
  SELECT 2, ledger, 'identity', CASE
    WHEN step = 'identity' THEN advice
    WHEN source = 'public_pki' THEN 'ok: trusted by public certificate authorities, as option tls says'
    WHEN key IS NULL THEN 'not tried: see "' || step || '"'
    WHEN days IS NULL THEN 'ok: ' || key || ' (' || source || ')'
    WHEN days < 0 AND source <> 'pinned' THEN 'the service certificate ended on ' || not_after
      || ' -> the operator of the ledger has to renew it'
    WHEN days < 14 AND source <> 'pinned' THEN 'the service certificate ends on ' || not_after
      || ' -> ask the operator of the ledger to renew it'
    ELSE 'ok: ' || key || ' (' || source || '), until ' || not_after
    END FROM advised WHERE step IS NOT 'attach'
  UNION ALL
  SELECT 3, ledger, 'credential', CASE
    WHEN step = 'identity' THEN 'not tried (' || coalesce(kind, 'none') || '): see "identity"'
    WHEN step = 'credential' THEN advice
    WHEN step = 'request' THEN 'not proved (' || coalesce(kind, 'none') || '): see "request"'
    ELSE 'ok: ' || kind || coalesce(', ' || principal, '')
    END FROM advised WHERE step IS NOT 'attach'
  UNION ALL
  SELECT 4, ledger, 'request', CASE
    WHEN step = 'request' THEN advice
    WHEN step IS NOT NULL THEN 'not tried: see "' || step || '"'
    ELSE 'ok: answers within ' || ms || ' ms'
    END FROM advised WHERE step IS NOT 'attach'
  UNION ALL
  SELECT 5, ledger, 'role', CASE
    WHEN principal IS NULL THEN 'not known: the token does not name its principal -> INSERT would tell'
    WHEN roles IS NULL THEN 'not known: the ledger did not tell the user ' || principal
    WHEN roles = '[]' THEN 'none -> an Administrator can run: INSERT OR REPLACE INTO ledger_users(user_id, role) VALUES('
      || quote(principal) || ', ''Reader'')'
    ELSE 'ok: ' || (SELECT group_concat(value, ', ') FROM json_each(roles))
    END FROM d WHERE step IS NULL
  UNION ALL
  SELECT 6, ledger, 'api', 'ok: version ' || version || coalesce('; offered: ' || versions, '')
    FROM d WHERE step IS NULL
  UNION ALL
  SELECT 7, ledger, 'clock', CASE
    WHEN skew IS NULL AND step IS NULL THEN 'ok: not known: the ledger tells no time, and the identity service was not asked'
    WHEN skew IS NULL THEN 'not known: nobody has told the time -> compare: date -u'
    WHEN abs(skew) <= 5 THEN 'ok: ' || CASE skew WHEN 0 THEN 'no difference'
      ELSE abs(skew) || ' s' END
      || CASE WHEN clock_of = 'ledger' THEN '' WHEN step IS NULL THEN ', by the identity service''s clock: the ledger tells no time'
           ELSE ', by the identity service''s clock: the ledger itself has not answered' END
    ELSE 'the clock of this machine is ' || abs(skew) || ' s '
      || CASE WHEN skew > 0 THEN 'behind' ELSE 'ahead' END
      || CASE WHEN clock_of = 'ledger' THEN '' WHEN step IS NULL THEN ', by the identity service''s clock (the ledger tells no time)'
           ELSE ', by the identity service''s clock (the ledger itself has not answered)' END
      || ' -> set it: tokens and certificates are judged by it'
    END FROM d WHERE step IS NOT 'attach'
)
SELECT * FROM line;
SELECT printf('%-10s %-11s %s', ledger, name, result) AS doctor
  FROM temp.ledger_doctor_line ORDER BY ledger, n;

-- What this run made in temp goes; whether something is not ok stays known, by
-- changes(). The exit status is 1 then.
DELETE FROM temp.ledger_doctor_line WHERE coalesce(result, '') NOT GLOB 'ok:*';
DROP TABLE temp.ledger_doctor; DROP TABLE temp.ledger_doctor_line;
SELECT 1 WHERE NOT ledger_require(changes() = 0, 'not all is ok: see above');
