<?php
/**
 * Our checks among WordPress' Site Health tests.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Site Health.
 */
final class Site_Health {

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_filter( 'site_status_tests', array( self::class, 'add' ) );
	}

	/**
	 * Add our tests, on the network's main site only.
	 *
	 * @param array $tests The existing ones.
	 * @return array
	 */
	public static function add( $tests ) {
		if ( ! is_main_site() || ! current_user_can( 'manage_network' ) ) {
			return $tests;
		}
		foreach ( Checks::all() as $id => $check ) {
			$tests['direct'][ "closte_sync_$id" ] = array(
				'label' => $check['label'],
				'test'  => static function () use ( $id, $check ) {
					return self::result( $id, $check );
				},
			);
		}
		return $tests;
	}

	/**
	 * A check as Site Health shows it.
	 *
	 * @param string $id    Its id.
	 * @param array  $check Its result.
	 * @return array
	 */
	private static function result( $id, array $check ) {
		return array(
			'label'       => 'closte-sync: ' . $check['label'],
			'status'      => $check['is_well'] ? 'good' : ( 'alerts' === $id ? 'critical' : 'recommended' ),
			'badge'       => array(
				'label' => 'closte-sync',
				'color' => 'blue',
			),
			'description' => '<p>' . esc_html( $check['text'] ) . '</p>',
			'actions'     => '',
			'test'        => "closte_sync_$id",
		);
	}
}
