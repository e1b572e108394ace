require ["vnd.example.harness", "fileinto", "envelope"];

message text:
From: tom@example.com
Subject: fence

Body.
.
;
sender "tom@example.com";
recipient "me@example.org";

case "a script runs over the message and the envelope" {
    if not runs text:
require ["envelope", "fileinto"];
if allof (header "subject" "FENCE", envelope "from" "tom@example.com") { fileinto "Fences"; }
.
    {
        fail "it has errors";
    }
    if not action "fileinto Fences" { fail "it was not filed"; }
    if action :contains "keep" { fail "it was kept too"; }
}

case "the message and the envelope can be changed" {
    message "Subject: roof

";
    sender "";
    if not runs "require [\"envelope\"]; if allof (header \"subject\" \"roof\", envelope \"from\" \"\") { discard; }" {
        fail "it has errors";
    }
    if not action "discard" { fail "the change was not seen"; }
}

case "a case leaves nothing to the next" {
    if not header "subject" "fence" { fail "the message has changed"; }
    if not envelope "from" "tom@example.com" { fail "the sender has changed"; }
    discard;
    stop;
    fail "stop ends the case";
}

case "errors are looked at by their text" {
    if compiles "keep;
frob;" { fail "it compiled"; }
    if not problem "line 2, column 1: this server knows no command 'frob'" { fail "another error"; }
    if problem :contains "line 1" { fail "an error too many"; }
}

case "an error at run time keeps" {
    if runs text:
redirect "a@example.com";
redirect "b@example.com";
redirect "c@example.com";
redirect "d@example.com";
redirect "e@example.com";
.
    { fail "no limit"; }
    if not problem :matches "line 5, column 1: *" { fail "no error"; }
    if not action "keep implicit" { fail "it was not kept"; }
    if action :contains "redirect" { fail "it was sent on"; }
}

case "results are carried out on the mailboxes" {
    mailbox "Fences";
    if not runs "require \"fileinto\"; fileinto \"Fences\"; keep;" { fail "it has errors"; }
    execute;
    if not allof (filed "Fences" 1, filed "INBOX" 1) { fail "it was not filed"; }
    message "Subject: other

";
    take "Fences" 1;
    if not header "subject" "fence" { fail "it is another message"; }
}

case "scripts nest in scripts" {
    if not runs text:
require "vnd.example.harness";
message "Subject: inner

";
case "inner" { if not runs "if header \"subject\" \"inner\" { discard; }" { fail "inner errors"; } }
.
    { fail "it has errors"; }
    if not action "keep implicit" { fail "the outer result is not the last"; }
}
