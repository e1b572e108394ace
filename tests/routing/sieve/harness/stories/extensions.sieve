require ["vnd.example.harness", "variables", "envelope"];

message text:
From: tom@example.com
To: me@example.org
Subject: fence
Message-ID: <fence@example.com>

Body.
.
;
sender "tom@example.com";
recipient "me@example.org";

case "scripts include those of the library" {
    library "mine" "require \"fileinto\"; fileinto \"Mine\";";
    library :global "ours" "require \"fileinto\"; fileinto \"Ours\";";
    if not runs "require \"include\"; include \"mine\"; include :global \"ours\";" { fail "it has errors"; }
    if not allof (action "fileinto Mine", action "fileinto Ours") { fail "they did not run"; }
    if runs "require \"include\"; include \"ours\";" { fail "a global script is no personal one"; }
}

case "annotations of a folder and of the server" {
    annotation "INBOX" "/private/comment" "on holiday";
    annotation "" "/shared/comment" "closed";
    if not runs text:
require ["mboxmetadata", "servermetadata"];
if allof (metadata "INBOX" "/private/comment" "on holiday", servermetadata "/shared/comment" "closed") { discard; }
.
    { fail "it has errors"; }
    if not action "discard" { fail "they were not found"; }
}

case "members of a list" {
    addresslist "friends" ["tom@example.com", "huck@example.com"];
    if not runs "require [\"extlists\", \"envelope\"]; if envelope :list \"from\" \"friends\" { discard; }" {
        fail "it has errors";
    }
    if not action "discard" { fail "tom is a friend"; }
}

case "what was carried out is remembered" {
    set "script" "require \"duplicate\"; if duplicate { discard; }";
    if not runs "${script}" { fail "it has errors"; }
    execute;
    if not allof (action "keep implicit", filed "INBOX" 1) { fail "the first is no duplicate"; }
    if not runs "${script}" { fail "it has errors"; }
    if not action "discard" { fail "the second is a duplicate"; }
}

case "an answer goes to the recipient's own mail only" {
    set "script" "require \"vacation\"; vacation \"gone\";";
    if not runs "${script}" { fail "it has errors"; }
    if not allof (action "vacation gone", action "keep implicit") { fail "no answer"; }
    sender "";
    if not runs "${script}" { fail "it has errors"; }
    if action :contains "vacation" { fail "an answer to the null path"; }
}

case "an edited message is what is stored" {
    mailbox "Edited";
    if not runs text:
require ["editheader", "fileinto"];
addheader "X-Seen" "yes";
fileinto "Edited";
.
    { fail "it has errors"; }
    execute;
    take "Edited" 1;
    if not header "x-seen" "yes" { fail "the edit is missing"; }
}
