<?php
// Deletes a site with its tables: its id.

require ABSPATH . 'wp-load.php';
require ABSPATH . 'wp-admin/includes/ms.php';

wpmu_delete_blog((int) $arguments[0], true);
