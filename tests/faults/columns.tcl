# The faults of the matrix (faults.tcl): its columns.
#
# (`:secret`: with an application's secret in place of a token.)
# NAME SPEC OUTCOMES, OUTCOMES being CLASS {OUTCOME...}: `right`, or
# `CODE regex`. `*` stands for the classes that are not named. `:hasty` behind a
# name runs its cells with short timeouts.

set unknown {IOERR (no answer came|is unknown|may or may not have recorded)}
set slow_post {{(BUSY|IOERR) (no answer within|is unknown|no answer came)}}
set garbled {(ERROR|NOTFOUND) (no reason)}
set all_path method=,path=/app/*

# What a body that is not what was asked for comes to: a read says so, a write
# has its id from the header.
proc garbled regex {
  return [list read [list [list ERROR $regex]] \
    search [list [list (ERROR|NOTFOUND) ($regex|gives\ no\ reason)]] \
    change [list [list (ERROR|NOTFOUND) ($regex|gives\ no\ reason)]] \
    run [list [list ERROR ($regex|makes\ no\ sense)]] write right outpost right]
}

set faults [list \
  latency          latency=20                    {read right} \
  slow             slow=2,bytes=100              {read right} \
  slow_request2    slow=2,bytes=100,nth=2        {read right} \
  stuck:hasty      slow=3600000,count=0 [list \
    read {{BUSY no answer within 300 ms}} write [list $unknown] outpost right \
    bare right] \
  late:hasty       latency=3600000 [list \
    read {{BUSY no answer within 300 ms}} write [list $unknown] outpost right] \
  throttled        status=429,count=2            {read right} \
  throttled_1s     status=429,retry-after=1      {read right} \
  throttled_always:hasty status=429,count=0 {read {{BUSY HTTP 429.*attempt [0-9]+}}} \
  status_500       status=500 [list read right write [list $unknown]] \
  status_502       status=502 [list read right write [list $unknown]] \
  status_503       status=503,count=2            {read right} \
  status_504       status=504 [list read right write [list $unknown]] \
  status_503_request2 status=503,nth=2           {read right} \
  status_503_always:hasty status=503,count=0 {read {{BUSY HTTP 503.*attempt [0-9]+}}
    outpost {{BUSY HTTP 503.*[0-9]+ attempts}}} \
  status_400       status=400 {
    read {{(ERROR|CONSTRAINT) InjectedFault.*HTTP 400}} bounds right
    write {{CONSTRAINT InjectedFault.*HTTP 400}}
    outpost {{CONSTRAINT InjectedFault.*HTTP 400}}} \
  status_401       status=401,count=0 {read {{AUTH refused the credential.*HTTP 401}}} \
  status_403       status=403 {read {{AUTH InjectedFault.*HTTP 403}}} \
  status_404       status=404,count=0 {
    read {{(NOTFOUND|ERROR) InjectedFault.*HTTP 404}}
    search {{NOTFOUND InjectedFault.*HTTP 404}}
    entry {{rows {}} {NOTFOUND (no entry|no current entry|no receipt|has no)}}
    status {{BUSY not known to the ledger: still HTTP 404}} ping right
    ask {{rows {}} {NOTFOUND has not issued}}} \
  status_406       status=406 {
    read {{ERROR InjectedFault.*HTTP 406}} status right ask {{rows Pending}}} \
  status_418       status=418 {read {{ERROR InjectedFault.*HTTP 418}}} \
  behind           behind,count=2 {read right ask {{rows {}} {NOTFOUND not issued}}} \
  session_lost     session-lost                  {read right} \
  not_open         not-open,count=2              {read right} \
  rolled_back      rolled-back,$all_path         {read right} \
  reset_before     reset-before-record \
    [list read right write [list $unknown] delete [list right $unknown]] \
  reset_after      reset-after-record,$all_path \
    [list read right write [list $unknown] delete [list right $unknown]] \
  reset_request2   reset-before-record,nth=2 \
    [list read right batch [list $unknown] change [list $unknown]] \
  reset_always:hasty reset-before-record,count=0 [list \
    read {{IOERR closed the connection without an answer}} write [list $unknown] \
    outpost {{IOERR no answer came back.*sends nothing twice}}] \
  cut              cut [list read right write [list $unknown] bare right] \
  cut_request2     cut,nth=2 [list read right batch [list $unknown] change [list $unknown]] \
  cut_always:hasty cut,count=0 [list \
    read {{IOERR closed within the answer}} \
    write [list $unknown] outpost right bare right] \
  redirect         redirect                      {read right} \
  redirect_always  redirect,count=0              {read right} \
  redirect_loop    redirect=loop,count=0 {read {{IOERR redirect is refused: too many}}} \
  redirect_away    redirect=away {read {{IOERR redirect is refused: it leads away}}} \
  huge huge=1000000000 [list read {{TOOBIG more than max_response_bytes}} \
    run {{TOOBIG more than max_response_bytes.*is unknown}} \
    write [list $unknown] outpost right bare right] \
  deep             deep=100000 [garbled (deep|nest)] \
  half             malformed=half [garbled {not valid JSON}] \
  html             malformed=html [garbled {not valid JSON}] \
  empty            malformed=empty [garbled {not valid JSON|is empty}] \
  types            malformed=types [garbled {makes no sense|expected}] \
  duplicate        malformed=duplicate [garbled {duplicate|twice}] \
  no_id            malformed=no-id [list read right write [list $unknown] \
    run {{ERROR done, but no x-ms-ccf-transaction-id}}] \
  cert_expired certificate=expired,count=0 {read {{(IOERR|BUSY) expired}}} \
  cert_early   certificate=early,count=0 {read {{(IOERR|BUSY) not yet valid}}} \
  cert_foreign certificate=foreign,count=0 {read {{AUTH another service key}}} \
  cert_name    certificate=name,count=0 {read {{(IOERR|BUSY) is for another name}}} \
  identity_503     status=503,path=/ledgerIdentity/*,count=2 {read right} \
  identity_down:hasty status=503,path=/ledgerIdentity/*,count=0 {
    read {{BUSY HTTP 503.*ledgerIdentity}}} \
  identity_cut:hasty cut,path=/ledgerIdentity/*,count=0 {
    read {{(IOERR|BUSY) closed within the answer.*ledgerIdentity}}} \
  identity_html    malformed=html,path=/ledgerIdentity/* {read {{ERROR not valid JSON}}} \
  identity_types   malformed=types,path=/ledgerIdentity/* {
    read {{ERROR (no sense|expected|ledgerTlsCertificate)}}} \
  renewed:secret   status=401                    {read right} \
  authority_503:secret status=503,path=*/oauth2/*,count=2 {read right} \
  authority_html:secret malformed=html,path=*/oauth2/* {
    read {{(ERROR|AUTH|IOERR|BUSY) JSON.*/oauth2/v2.0/token}}} \
  election         election,$all_path            {read right} \
  election_request2 election,$all_path,nth=2     {read right} \
  election_kept    election,sessions=kept,$all_path {read right} \
  isolated         isolate,for=100,heal=100,$all_path {read right} \
  stopped          stop,for=100,$all_path        {read right} \
  forwarded        forward,delay=20,$all_path [list read right write [list $unknown]] \
  forwarded_recorded forward,delay=20,record=1,$all_path \
    [list read right write [list $unknown]] \
  forwarded_elected forward,delay=20,record=1,election=1,$all_path \
    [list read right write [list $unknown]] \
  forwarded_in_vain forward,delay=20,election=1,$all_path \
    [list read right write [list $unknown]] \
  held             hold,for=100,$all_path \
    [list read right write [list $unknown] delete [list right $unknown]] \
  held_silent      hold=silent,for=50,$all_path  {read right} \
  held_late:hasty  hold=silent,for=400,method=POST,path=/app/* [list \
    read right write [list right $unknown] outpost right \
    outbox {right {BUSY no answer within 300 ms}}] \
  idle             idle                          {read right} \
  idle_request2    idle,nth=2                    {read right} \
  idle_notify      idle=notify                   {read right} \
  idle_always:hasty idle,count=0 {
    read right outbox {{BUSY was not sent.*closed the connection}} outpost right} \
  status_503_id    status=503,id=2.1 [list read right write [list $unknown]] \
  redirect_301     redirect=301 {
    read right write {{ERROR HTTP 301}} outpost {{ERROR HTTP 301}}} \
  redirect_302     redirect=302 {
    read right write {{ERROR HTTP 302}} outpost {{ERROR HTTP 302}}} \
  claims:secret    claims,count=0                {read right} \
  claims_always:secret claims=always,count=0 {read {{AUTH HTTP 401}}} \
  stale            stale=1,count=2               {read right} \
  unaware          unaware=1,count=2             {read right} \
  clock            clock=86400                   {read right} \
  receipt_digest   malformed=digest,count=0,path=/app/transactions/*/receipt [list \
    read right proof {{rows {{[false,"claims_mismatch"]}}}} \
    proofs [list [list rows [concat {*}[lrepeat 5 {0 0 claims_mismatch}]]]]] \
  constitution_digest malformed=digest,path=/app/governance/constitution {
    read right constitution {{ERROR the digest is}}} \
  measurement      malformed=measurement,path=/app/enclaveQuotes {
    read right quote {{ERROR but its quote says}}} \
  recovery recovery,$all_path [list read {right {AUTH another service key}} \
    batch {right {AUTH another service key}}] \
  chance           status=503,probability=0.3,seed=5 {read right} \
]
set falls_back {ping read entry read search entry status read ask status bounds read
  write read batch write outbox read outpost read change read
  patch write put write run write bare write delete bare proof entry proofs read
  constitution read quote read}
