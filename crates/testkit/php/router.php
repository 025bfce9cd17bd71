<?php
// Serves a WordPress by PHP's own web server, as `.htaccess` does with others.

$root = $_SERVER['DOCUMENT_ROOT'] . '/';
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
if (str_ends_with($path, '/') && is_file($root . $path . 'index.php')) {
	$path .= 'index.php';
}
$file = $root . ltrim($path, '/');
if (str_contains($path, '..') || !is_file($file)) {
	$path = '/index.php';
	$file = $root . 'index.php';
} elseif (!str_ends_with($file, '.php')) {
	return false;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $path;
$_SERVER['SCRIPT_FILENAME'] = $file;
// A port in the name would be another site.
$_SERVER['SERVER_NAME'] = $_SERVER['HTTP_HOST'] = explode(':', $_SERVER['HTTP_HOST'] ?? '')[0];
chdir(dirname($file));
require __DIR__ . '/in_wp_admin.php';
// WordPress uses variables of its own here.
require $_SERVER['SCRIPT_FILENAME'];
