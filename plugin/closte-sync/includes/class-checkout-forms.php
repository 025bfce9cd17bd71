<?php
/**
 * The shared base domains that checkout forms offer.
 *
 * What people typed is reported as they typed it. A form that cannot be read offers nothing.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Reading the settings of forms.
 */
final class Checkout_Forms {

	/**
	 * The keys under which a field keeps its hosts, one per line.
	 */
	const HOSTS = array( 'available_domains', 'available_domains_multi' );

	/**
	 * The hosts of all forms.
	 *
	 * @param array $forms The settings of each, as the table holds them.
	 * @return string[]
	 */
	public static function hosts( array $forms ) {
		$hosts = array();
		foreach ( $forms as $settings ) {
			foreach ( self::fields( self::parse( $settings ) ) as $field ) {
				$offered = array_intersect_key( $field, array_flip( self::HOSTS ) );
				array_walk_recursive(
					$offered,
					static function ( $text ) use ( &$hosts ) {
						$hosts = array_merge( $hosts, preg_split( '/[\r\n]+/', is_string( $text ) ? $text : '' ) );
					}
				);
			}
		}
		return array_values( array_unique( array_filter( array_map( 'trim', $hosts ), 'strlen' ) ) );
	}

	/**
	 * The fields of type `site_url` in all steps of a form.
	 *
	 * @param array $steps The form.
	 * @return array[]
	 */
	private static function fields( array $steps ) {
		$found = array();
		foreach ( $steps as $step ) {
			$fields = is_array( $step ) && isset( $step['fields'] ) && is_array( $step['fields'] ) ? $step['fields'] : array();
			foreach ( $fields as $field ) {
				if ( is_array( $field ) && isset( $field['type'] ) && 'site_url' === $field['type'] ) {
					$found[] = $field;
				}
			}
		}
		return $found;
	}

	/**
	 * The settings of a form, which real networks keep with a backslash before each quote.
	 *
	 * @param string|null $settings As the table holds them.
	 * @return array
	 */
	private static function parse( $settings ) {
		foreach ( array( (string) $settings, stripslashes( (string) $settings ) ) as $text ) {
			// phpcs:ignore -- An invalid value shows in the result, and no object is created.
			$value = @unserialize( trim( $text ), array( 'allowed_classes' => false ) );
			if ( is_array( $value ) ) {
				return $value;
			}
		}
		return array();
	}
}
