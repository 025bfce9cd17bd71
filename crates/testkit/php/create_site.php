<?php
// Makes a site: domain, path. Answers with its id.

require ABSPATH . 'wp-load.php';

// A site is left alone for its first minute, which no test waits for.
add_filter('wp_normalize_site_data', static function (array $site): array {
	return ['registered' => gmdate('Y-m-d H:i:s', time() - HOUR_IN_SECONDS)] + $site;
});

[$domain, $path] = $arguments;
echo well(wpmu_create_blog($domain, $path, "Site $domain$path", 1, ['public' => 1], 1));
