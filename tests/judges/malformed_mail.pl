#!/usr/bin/env perl
# Reads lines of JSON, {message: hex}, and answers each with a line {rules: [...]}: the rules of SpamAssassin that the
# message meets. Local tests alone: no network, no learning, no user's preferences.
use strict;
use warnings;
use JSON::PP;
use Mail::SpamAssassin;

my $json = JSON::PP->new->utf8;
$| = 1;
my $spamassassin = Mail::SpamAssassin->new({
    local_tests_only => 1,
    dont_copy_prefs => 1,
    userprefs_filename => '/dev/null',
    home_dir_for_helpers => $ENV{HOME},
    userstate_dir => $ENV{SA_STATE},
    config_tree_recurse => 0,
    post_config_text => "use_bayes 0\nuse_auto_welcomelist 0\nuse_txrep 0\n",
});
$spamassassin->init(0);
while (my $line = <STDIN>) {
    my $mail = $spamassassin->parse([pack('H*', $json->decode($line)->{message}) =~ /([^\n]*\n)/g]);
    my $status = $spamassassin->check($mail);
    print $json->encode({ rules => [split /,/, $status->get_names_of_tests_hit] }), "\n";
    $status->finish;
    $mail->finish;
}
