# The pages as one set of HTML: README.md, SECURITY.md, CHANGELOG.md, all of
# ext/doc, and whatever a link in them leads to. `make html` runs it.
#
#   tclsh ext/doc/html.tcl FOLDER
#
# Each .md becomes a page beside the one stylesheet, with links to .md turned into
# links to .html; another file that is linked is shown as it is. No script, and
# nothing from elsewhere. A link to what isn't there, a file or a heading, is said
# and makes the exit status 1. cmark-gfm reads Markdown.
package require Tcl 8.6

set root [file dirname [file dirname [file dirname [file normalize [info script]]]]]
set dead 0

proc read_file path {
  set f [open $path]
  fconfigure $f -encoding utf-8
  set text [read $f]
  close $f
  return $text
}
proc write_file {path text} {
  file mkdir [file dirname $path]
  set f [open $path w]
  fconfigure $f -encoding utf-8
  puts -nonewline $f $text
  close $f
}
proc escaped text { string map {& &amp; < &lt; > &gt; \" &quot;} $text }
proc plain html {
  string map {&amp; & &lt; < &gt; > &quot; \"} [regsub -all {<[^>]*>} $html {}]
}

# ---- paths -------------------------------------------------------------------

# Where a file of the tree stands in the set.
proc target path {
  if {$path eq "README.md"} { return index.html }
  return [file rootname $path][expr {[file extension $path] eq ".md" ? ""
    : [file extension $path]}].html
}

# A path as seen from the folder of another one.
proc relative {to from} {
  set to [file split $to]
  set from [lrange [file split $from] 0 end-1]
  while {[llength $from] && [lindex $to 0] eq [lindex $from 0]} {
    set to [lrange $to 1 end]
    set from [lrange $from 1 end]
  }
  return [join [concat [lrepeat [llength $from] ..] $to] /]
}

# The file of the tree that a link on a page means; "" where it leads out of it.
proc meant {href page} {
  set parts {}
  foreach part [file split [file join [file dirname $page] $href]] {
    if {$part eq ".." && ![llength $parts]} { return "" }
    if {$part eq ".."} { set parts [lrange $parts 0 end-1] } \
      elseif {$part ne "."} { lappend parts $part }
  }
  return [join $parts /]
}

# ---- one page ----------------------------------------------------------------

# What GitHub makes of a heading's text.
proc slug text {
  set text [regsub -all {[^\w\- ]} [string tolower $text] {}]
  return [string map {" " -} $text]
}

# The body with an id in each heading; their texts, as {level id html ...}.
proc with_ids {html listVar} {
  upvar $listVar headings
  set headings {}
  set out ""
  set at 0
  foreach {all level text} [regexp -all -inline -indices {<h([1-6])>(.*?)</h[1-6]>} $html] {
    foreach name {level text} { set $name [string range $html {*}[set $name]] }
    set id [slug [plain $text]]
    if {[incr seen($id)] > 1} { append id -[expr {$seen($id) - 1}] }
    lappend headings $level $id $text
    append out [string range $html $at [lindex $all 0]-1] \
      "<h$level id=\"$id\">$text</h$level>"
    set at [expr {[lindex $all 1] + 1}]
  }
  return $out[string range $html $at end]
}

# Tables scroll by themselves; what a statement returns, or is refused with, is told
# from it.
proc framed html {
  set html [string map {<table> {<div class="table"><table>} </table> </table></div>} $html]
  set html [regsub -all -line {^--&gt; (SQLITE_[A-Z]+|error): .*?(?=(</code></pre>)?$)} $html \
    {<span class="no">&</span>}]
  return [regsub -all -line {^--&gt;.*?(?=(</code></pre>)?$)} $html {<span class="out">&</span>}]
}

proc markdown path {
  set html [exec cmark-gfm --extension table --extension autolink $::root/$path]
  return [encoding convertfrom utf-8 [encoding convertto [encoding system] $html]]
}

# Reads a file into ::page(PATH): a dictionary of title, body and headings.
proc load_page path {
  if {[file extension $path] eq ".md"} {
    set body [framed [with_ids [markdown $path] headings]]
    set title [plain [lindex $headings 2]]
  } else {
    set headings {}
    set title [file tail $path]
    set body "<h1>[escaped $path]</h1>\n<pre><code>[escaped [read_file $::root/$path]]</code></pre>\n"
  }
  set ::page($path) [dict create title $title headings $headings body $body]
  # In the order of their last mention: README ends with the list of pages.
  set linked {}
  foreach {- href} [regexp -all -inline {href="([^"#:]+)(?:#[^"]*)?"} $body] {
    set to [meant $href $path]
    if {[file isfile $::root/$to]} { set linked [list {*}[lsearch -all -inline -not -exact $linked $to] $to] }
  }
  foreach to $linked { want $to }
}

# What is in the set, in the order in which it is linked.
proc want path {
  if {$path in $::pages} return
  lappend ::pages $path
}

# The body with its links as they are in the set.
proc linked path {
  set body [dict get $::page($path) body]
  set map {}
  foreach {all href} [lsort -unique -stride 2 [regexp -all -inline {href="([^"]+)"} $body]] {
    if {[regexp {^[a-z]+:} $href]} continue
    regexp {^([^#]*)(#(.*))?$} $href -> file hash id
    set to [expr {$file eq "" ? $path : [meant $file $path]}]
    set ids {}
    if {[info exists ::page($to)]} {
      foreach {- known -} [dict get $::page($to) headings] { lappend ids $known }
    }
    if {![info exists ::page($to)] || ($hash ne "" && $id ni $ids)} {
      puts stderr "$path: dead link: $href"
      set ::dead 1
    }
    lappend map $all "href=\"[relative [target $to] [target $path]]$hash\""
  }
  return [string map $map $body]
}

# The list of pages, with the headings of the one at hand.
proc navigation path {
  set text "<ul>\n"
  foreach to $::pages {
    if {[file extension $to] ne ".md"} continue
    set title [escaped [dict get $::page($to) title]]
    if {$to ne $path} {
      append text "<li><a href=\"[relative [target $to] [target $path]]\">$title</a></li>\n"
      continue
    }
    append text "<li class=\"here\"><a href=\"#top\" aria-current=\"page\">$title</a>\n<ul>\n"
    foreach {level id heading} [dict get $::page($to) headings] {
      if {$level == 2} {
        append text "<li><a href=\"#$id\">[regsub -all {</?a[^>]*>} $heading {}]</a></li>\n"
      }
    }
    append text "</ul></li>\n"
  }
  return "$text</ul>"
}

proc document path {
  set here [target $path]
  set title [escaped [dict get $::page($path) title]]
  if {$path ne "README.md"} { append title " - sqlite-ledger" }
  return "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>$title</title>
<link rel=\"stylesheet\" href=\"[relative style.css $here]\">
</head>
<body id=\"top\">
<header><a href=\"[relative index.html $here]\">sqlite-ledger</a> <a class=\"to-nav\" href=\"#pages\">Pages</a></header>
<main>
[linked $path]</main>
<nav id=\"pages\" aria-label=\"Pages\">
[navigation $path]
</nav>
</body>
</html>
"
}

# ---- all of them ---------------------------------------------------------------

set pages {}
cd $root
want README.md
for {set i 0} {$i < [llength $pages]} {incr i} {
  load_page [lindex $pages $i]
  if {$i + 1 < [llength $pages]} continue
  foreach path [list SECURITY.md {*}[lsort [glob ext/doc/*.md]] CHANGELOG.md] { want $path }
}
set out [file normalize [lindex $argv 0]]
file delete -force $out
foreach path $pages { write_file $out/[target $path] [document $path] }
file copy $root/ext/doc/style.css $out/style.css
exit $dead
