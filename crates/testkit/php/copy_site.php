<?php
// Fills a site with all that another has, except its address: the other's id, its id.

require ABSPATH . 'wp-load.php';

[$source, $copy] = $arguments;
$from = $wpdb->get_blog_prefix($source);
$to = $wpdb->get_blog_prefix($copy);
$home = get_blog_option($copy, 'home');
foreach ($wpdb->tables('blog', false) as $table) {
	$wpdb->query("DELETE FROM $to$table");
	$wpdb->query("INSERT INTO $to$table SELECT * FROM $from$table");
}
$options = "{$to}options";
$wpdb->update($options, ['option_name' => "{$to}user_roles"], ['option_name' => "{$from}user_roles"]);
$wpdb->update($options, ['option_value' => $home], ['option_name' => 'home']);
$wpdb->update($options, ['option_value' => $home], ['option_name' => 'siteurl']);
