# A machine's endpoints for managed identities, over plain http on loopback:
# IMDS, App Service and Azure Arc, as far as a client can see them. A program
# of its own (cloud.tcl starts it): the SQL under test blocks its process.
#
#   tclsh cloudserver.tcl FOLDER
#
# FOLDER/port is written when it listens, FOLDER/requests gets a Tcl list per
# request: METHOD PATH QUERY HEADERS. FOLDER/config, a Tcl dictionary, is read
# for each request:
#
#   token T, expires_in S   what is given out
#   identities {ID ...}     the user-assigned ones that are known, URL-encoded
#   secret S                App Service's X-IDENTITY-HEADER
#   arc_folder F            where Arc's agent writes its key file ...
#   arc_realm P             ... and what it calls that file
#   arc_key TEXT            ... and what stands in it
#   arc_challenge TEXT      Arc's whole challenge, in place of Basic realm=...
#   fail {STATUS ...}       what the next requests for a token get
#   body TEXT, type TYPE    a refusal's body, and its content type
#   headers TEXT            ... and more of its headers
#   delay MS                before each answer
#   echo 1                  a refusal repeats the request's headers
#
# The process that starts it ends it.

set dir [lindex $argv 0]
set nFailed 0
set failing ""

proc read_config {} {
  set f [open $::dir/config]
  fconfigure $f -encoding utf-8
  set config [read $f]
  close $f
  return $config
}

proc value {config key default} {
  return [expr {[dict exists $config $key] ? [dict get $config $key] : $default}]
}

proc answer {channel status body {headers ""} {type application/json}} {
  set reason [dict get {200 OK 302 Elsewhere 400 Bad 401 Unauthorized 403 Forbidden
    404 Missing 410 Gone 429 Many 500 Error 502 Gateway 503 Busy 504 Late} \
    $status]
  puts -nonewline $channel [join [list "HTTP/1.1 $status $reason" \
    "Content-Type: $type" "Content-Length: [string length $body]" \
    "Connection: close" "$headers\r\n$body"] "\r\n"]
  flush $channel
}

proc refuse {channel status code text {headers ""}} {
  upvar #0 echo echo
  append text $echo
  answer $channel $status \
    "{\"error\":\"$code\",\"error_description\":\"$text\"}" $headers
}

# The token, if the query is as it should be.
proc give {channel config query version} {
  global nFailed failing
  set fail [value $config fail ""]
  if {[list $fail [value $config body ""]] ne $failing} {
    set failing [list $fail [value $config body ""]]
    set nFailed 0
  }
  if {$nFailed < [llength $fail]} {
    set status [lindex $fail $nFailed]
    incr nFailed
    if {[dict exists $config body]} {
      answer $channel $status [dict get $config body] [value $config headers ""] \
        [value $config type application/json]
    } else {
      refuse $channel $status failed "planned failure"
    }
    return
  }
  foreach {key expected} [list api-version $version \
      resource https%3A%2F%2Fconfidential-ledger.azure.com] {
    if {[value $query $key ""] ne $expected} {
      refuse $channel 400 invalid_request "wrong $key"
      return
    }
  }
  # Who is meant, by the names that this endpoint has for it.
  set known {2018-02-01 {client_id object_id msi_res_id}
    2019-08-01 {client_id principal_id mi_res_id} 2020-06-01 {}}
  dict for {key id} $query {
    if {$key in {api-version resource}} continue
    if {$key ni [dict get $known $version]
        || $id ni [value $config identities ""]} {
      refuse $channel 400 invalid_request "Identity not found"
      return
    }
  }
  set expires_in [value $config expires_in 86400]
  set expires_on [expr {[clock seconds] + $expires_in}]
  answer $channel 200 "{\"access_token\":\"[dict get $config token]\",\
\"expires_on\":\"$expires_on\",\"resource\":\"x\",\"token_type\":\"Bearer\"}"
}

proc serve {channel method path query headers} {
  set config [read_config]
  set ::echo [expr {[value $config echo 0] ? " ($headers)" : ""}]
  after [value $config delay 0]
  switch $path {
    /metadata/identity/oauth2/token {
      if {[value $headers metadata ""] ne "true"} {
        refuse $channel 400 invalid_request "Required metadata header not specified"
      } else {
        give $channel $config $query 2018-02-01
      }
    }
    /msi/token {
      if {[value $headers x-identity-header ""] ne [value $config secret ""]} {
        refuse $channel 401 unauthorized "wrong X-IDENTITY-HEADER"
      } else {
        give $channel $config $query 2019-08-01
      }
    }
    /arc/token {
      set folder [value $config arc_folder /nowhere]
      set key [value $config arc_key "key of the agent"]
      set realm [value $config arc_realm $folder/agent.key]
      if {[value $headers metadata ""] ne "true"} {
        refuse $channel 400 invalid_request "no Metadata header"
      } elseif {[value $headers authorization ""] eq "Basic $key"} {
        give $channel $config $query 2020-06-01
      } elseif {[dict exists $headers authorization]} {
        refuse $channel 403 forbidden "wrong key"
      } else {
        set challenge [value $config arc_challenge "Basic realm=$realm"]
        refuse $channel 401 unauthorized "the key, please" \
          "WWW-Authenticate: $challenge\r\n"
      }
    }
    default { refuse $channel 404 not_found "no such path" }
  }
}

proc accept {channel host port} {
  fconfigure $channel -translation binary -blocking 0 -buffering full
  set ::text($channel) ""
  fileevent $channel readable [list receive $channel]
}

proc receive channel {
  append ::text($channel) [read $channel]
  set ended [eof $channel]
  if {[string first \r\n\r\n $::text($channel)] >= 0} {
    set lines [split [string map {\r ""} $::text($channel)] \n]
    lassign [lindex $lines 0] method target
    set headers {}
    foreach line [lrange $lines 1 end] {
      if {[regexp {^([^:]+): *(.*)$} $line -> name text]} {
        dict set headers [string tolower $name] $text
      }
    }
    lassign [split $target ?] path text
    set query {}
    foreach part [split $text &] {
      lassign [split $part =] name word
      dict set query $name $word
    }
    set f [open $::dir/requests a]
    puts $f [list $method $path $query $headers]
    close $f
    fconfigure $channel -blocking 1
    catch { serve $channel $method $path $query $headers } message
    if {$message ne ""} { puts stderr $message }
    set ended 1
  }
  if {$ended} {
    catch { close $channel }
    unset -nocomplain ::text($channel)
  }
}

set server [socket -server accept -myaddr 127.0.0.1 0]
set f [open $dir/port.new w]
puts $f [lindex [fconfigure $server -sockname] 2]
close $f
file rename -force $dir/port.new $dir/port
vwait forever
