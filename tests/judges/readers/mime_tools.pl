#!/usr/bin/env perl
# Reads lines of JSON, {message: hex}, and answers each with a line: what MIME-tools makes of the message.
use strict;
use warnings;
use Encode ();
use JSON::PP;
use MIME::Field::ParamVal;
use MIME::Parser;
use MIME::Words;
use Mail::Address;

my $json = JSON::PP->new->utf8;
my %is_address = map { $_ => 1 } qw(from sender reply-to to cc bcc);
$| = 1;
# It warns of every empty body.
local $SIG{__WARN__} = sub { };

# Encode's `UTF-8` has no noncharacters (U+FFFE); its `utf8` has every character.
sub charset {
    my ($name) = @_;
    return lc $name eq 'utf-8' ? 'utf8' : $name;
}

# The text of a field body: unfolded, encoded words decoded, as Perl programs do it with MIME::Words.
sub decoded {
    my ($octets) = @_;
    return join '', map { Encode::decode(charset($_->[1] // 'UTF-8'), $_->[0]) } MIME::Words::decode_mimewords($octets);
}

sub unfolded {
    my ($body) = @_;
    $body =~ s/\r?\n(?=[ \t])//g;
    $body =~ s/\r?\n\z//;
    return $body;
}

sub mailbox {
    my ($mailbox) = @_;
    my $phrase = $mailbox->phrase // '';
    if ($phrase =~ /\A"(.*)"\z/s) {
        $phrase = $1;
        $phrase =~ s/\\(.)/$1/gs;
    }
    return [decoded($phrase), Encode::decode('UTF-8', $mailbox->address)];
}

sub leaves {
    my ($part) = @_;
    return $part if $part->effective_type !~ m{^multipart/};
    return map { leaves($_) } $part->parts;
}

sub content {
    my ($part) = @_;
    # An attached message is a tree of its own; its octets are those that came.
    return $part->stringify_body if $part->effective_type eq 'message/rfc822' && !$part->bodyhandle;
    return $part->bodyhandle->as_string;
}

sub parameters {
    my ($head) = @_;
    my %params = %{ MIME::Field::ParamVal->parse($head->get('Content-Type') // '') };
    delete $params{_};
    return { map { $_ => decoded($params{$_}) } keys %params };
}

sub reading {
    my ($message) = @_;
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    $parser->decode_headers(0);
    $parser->extract_nested_messages(0);
    my $entity = $parser->parse_data($message);
    my $head = $entity->head;
    my (@values, %addresses);
    for my $line (split /\n(?![ \t])/, $head->original_text) {
        my ($name, $body) = unfolded($line) =~ /\A([^:]+):[ \t]?(.*)\z/s or next;
        $name = lc $name;
        push @values, [$name, $is_address{$name} ? '' : decoded($body)];
        push @{ $addresses{$name} }, map { mailbox($_) } Mail::Address->parse($body) if $is_address{$name};
    }
    my %values = map { $_->[0] => $_->[1] } @values;
    my (%bodies, @attachments);
    for my $part (leaves($entity)) {
        my $type = $part->effective_type;
        my $disposition = $part->head->count('Content-Disposition') ? $part->head->mime_attr('content-disposition') : undef;
        my $name = { 'text/plain' => 'text', 'text/html' => 'html' }->{$type};
        my $content = content($part);
        if ($name && !defined $disposition && !defined $bodies{$name}) {
            $bodies{$name} = Encode::decode(charset($part->head->mime_attr('content-type.charset') // 'us-ascii'), $content);
            next;
        }
        my $filename = $part->head->recommended_filename;
        my $cid = $part->head->get('Content-ID');
        push @attachments, {
            name => defined $filename ? Encode::is_utf8($filename) ? $filename : decoded($filename) : undef,
            mediaType => $type,
            content => unpack('H*', $content),
            cid => defined $cid ? unfolded($cid) : undef,
            disposition => $disposition,
            parameters => parameters($part->head),
        };
    }
    return {
        fields => [map { $_->[0] } @values],
        subject => $values{subject},
        addresses => \%addresses,
        messageId => $values{'message-id'},
        bodies => \%bodies,
        attachments => \@attachments,
        values => \@values,
    };
}

while (my $line = <STDIN>) {
    my $answer = eval { reading(pack 'H*', $json->decode($line)->{message}) } // { error => "$@" };
    print $json->encode($answer), "\n";
}
