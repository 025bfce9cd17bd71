<?php
// Runs the script on its standard input for the WordPress in the folder that is its first argument.
//
// The script loads WordPress itself: an installer has to say so before. It finds its own
// arguments in $arguments, and what it echoes is the answer.

// WordPress ends with status 0 when it dies too, so only a script that reached its end succeeded.
register_shutdown_function(static function (): void {
	if (!defined('CAME_TO_ITS_END')) {
		exit(1);
	}
});

if (!extension_loaded('mysqli')) {
	fwrite(STDERR, "PHP has no mysqli. Install Debian's package: apt-get install php-mysql\n");
	exit(1);
}

/** What WordPress answered, unless that is an error. */
function well(mixed $answer): mixed {
	if (is_wp_error($answer)) {
		throw new RuntimeException($answer->get_error_code() . ': ' . $answer->get_error_message());
	}
	return $answer;
}

define('ABSPATH', $argv[1] . '/');
$arguments = array_slice($argv, 2);
// A visit to the network's own front page: WordPress finds network and site by it.
$_SERVER = [
	'HTTP_HOST' => 'network.example',
	'REQUEST_METHOD' => 'GET',
	'REQUEST_URI' => '/',
	'PHP_SELF' => '/index.php',
	'SCRIPT_FILENAME' => ABSPATH . 'index.php',
	'SERVER_PROTOCOL' => 'HTTP/1.1',
	'REMOTE_ADDR' => '127.0.0.1',
] + $_SERVER;

eval('?>' . stream_get_contents(STDIN));
define('CAME_TO_ITS_END', true);
