<?php
// Installs a single WordPress, as the first visit to a new one does.

define('WP_INSTALLING', true);
require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install('The Network', 'admin', 'admin@network.example', true, '', 'not-a-secret');
