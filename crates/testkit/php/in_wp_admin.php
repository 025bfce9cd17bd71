<?php
// Runs before each script of a served WordPress.

// This folder is the package's, and its scripts would take that for WordPress' own.
if (str_starts_with($_SERVER['SCRIPT_NAME'], '/wp-admin/')) {
	define('ABSPATH', $_SERVER['DOCUMENT_ROOT'] . '/');
}
