<?php
/**
 * Loads the classes of this plugin when they are used.
 *
 * Loading this file starts nothing, so that the uninstaller can use them without the plugin.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

spl_autoload_register(
	static function ( $name ) {
		if ( 0 === strpos( $name, __NAMESPACE__ . '\\' ) ) {
			$slug = strtolower( str_replace( '_', '-', substr( $name, strlen( __NAMESPACE__ ) + 1 ) ) );
			$file = __DIR__ . "/class-$slug.php";
			if ( is_file( $file ) ) {
				require_once $file;
			}
		}
	}
);
