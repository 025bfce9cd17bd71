<?php
/**
 * Why a domain is not ready, in the box "Domains" in which customers of the network see theirs.
 *
 * Ultimate Multisite has a filter for what each row of it shows; a version without it shows nothing more.
 * Customers read what they can act on: of anything else, that it is being seen to.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The rows of that box.
 */
final class Customer_Box {

	/**
	 * Listen to Ultimate Multisite.
	 */
	public static function listen() {
		add_filter( 'wu_domain_mapping_row_info', array( self::class, 'add_reason' ), 10, 2 );
	}

	/**
	 * Add the reason to a row. Whoever sees the row may see it: it is the customer's own domain.
	 *
	 * @param mixed $info   What the row shows, by names.
	 * @param mixed $domain The domain.
	 * @return mixed
	 */
	public static function add_reason( $info, $domain = null ) {
		if ( ! is_array( $info ) || ! is_object( $domain ) || ! method_exists( $domain, 'get_id' ) || ! method_exists( $domain, 'get_domain' ) || ! Engine::is_heard_of() ) {
			return $info;
		}
		$known = Engine::domain( (int) $domain->get_id(), (string) $domain->get_domain() );
		if ( null === $known || ! empty( $known['ready'] ) ) {
			return $info;
		}
		if ( ! isset( $known['turn'] ) || 'owner' !== $known['turn'] ) {
			$known['text'] = __( 'This domain is being set up; the operator of the network knows.', 'closte-sync' );
		}
		$info['closte-sync'] = array(
			'wrapper_classes' => '',
			'icon'            => 'dashicons-wu-info wu-align-text-bottom wu-mr-1',
			'label'           => '',
			'value'           => esc_html( Words::of_domain( $known ) ),
		);
		return $info;
	}
}
