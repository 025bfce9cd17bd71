<?php
/**
 * Plugin Name: What a test network needs
 *
 * Nothing leaves the machine, and deleting a site deletes its mappings as Ultimate Multisite does.
 */

add_filter('pre_wp_mail', '__return_true');
add_filter('pre_http_request', static function ($answer, $arguments, $url) {
	$is_here = parse_url($url, PHP_URL_HOST) === '127.0.0.1';
	return $is_here ? $answer : new WP_Error('no_network', 'Tests ask nobody.');
}, 10, 3);

add_action('wp_delete_site', static function (WP_Site $site): void {
	global $wpdb;
	$wpdb->delete("{$wpdb->base_prefix}wu_domain_mappings", ['blog_id' => $site->id]);
});
