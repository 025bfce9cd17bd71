<?php
// Serves a WordPress by PHP's own web server, as `.htaccess` does with others.

define('ABSPATH', $_SERVER['DOCUMENT_ROOT'] . '/');

$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
if (str_ends_with($path, '/') && is_file(ABSPATH . $path . 'index.php')) {
	$path .= 'index.php';
}
$file = ABSPATH . ltrim($path, '/');
if (str_contains($path, '..') || !is_file($file)) {
	$path = '/index.php';
	$file = ABSPATH . 'index.php';
} elseif (!str_ends_with($file, '.php')) {
	return false;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
$_SERVER['SCRIPT_FILENAME'] = $file;
// A port in the name would be another site.
$_SERVER['SERVER_NAME'] = $_SERVER['HTTP_HOST'] = explode(':', $_SERVER['HTTP_HOST'] ?? '')[0];
chdir(dirname($file));
if ($path === '/wp-cron.php') {
	// It takes WordPress to be loaded where ABSPATH is defined.
	require ABSPATH . 'wp-load.php';
}
// WordPress uses variables of its own here.
require $_SERVER['SCRIPT_FILENAME'];
