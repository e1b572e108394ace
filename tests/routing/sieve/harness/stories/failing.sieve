require "vnd.example.harness";

case "one that fails" {
    keep;
    fail "as it should";
    keep;
}

case "one with an error" {
    redirect "a@example.com"; redirect "b@example.com"; redirect "c@example.com";
    redirect "d@example.com"; redirect "e@example.com";
}

case "one that passes" {
    if true { stop; }
}
