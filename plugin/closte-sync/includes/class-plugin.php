<?php
/**
 * Starts the parts.
 *
 * Every part is called here to add its hooks; none may act before WordPress calls it, and none may
 * depend on the order of these calls.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The whole plugin.
 */
final class Plugin {

	/**
	 * Add the hooks of all parts.
	 */
	public static function start() {
		Notices::listen();
		if ( ! is_multisite() ) {
			return;
		}
		Secret::take_file();
		Channel::listen();
		Takeover::listen();
		Giving_Back::listen();
		Nudge::listen();
		Passes::listen();
		Customer_Box::listen();
		Status_Links::listen();
		Status_Page::listen();
		Site_Health::listen();
		if ( is_admin() ) {
			Admin_Page::listen();
			Domain_Pages::listen();
			Gap_Button::listen();
			Engine_Section::listen();
		}
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			\WP_CLI::add_command( 'closte-sync', Cli::class );
		}
	}

	/**
	 * The version of this plugin, as its header says.
	 *
	 * @return string
	 */
	public static function version() {
		return get_file_data( dirname( __DIR__ ) . '/closte-sync.php', array( 'version' => 'Version' ) )['version'];
	}
}
