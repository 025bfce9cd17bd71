<?php
/**
 * Takes the place of Ultimate Multisite's built-in Closte integration, as long as the engine lives.
 *
 * Nothing of it is changed for good: it is done anew in each request, so where the engine falls
 * silent, Closte is switched off or this plugin goes, the built-in works as if we had never been.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The takeover of one request.
 */
final class Takeover {

	/**
	 * On which the built-in integration acts.
	 */
	const HOOKS = array( 'wu_add_domain', 'wu_remove_domain', 'wu_add_subdomain', 'wu_remove_subdomain' );

	/**
	 * Its checks of DNS and certificates, which would race ours.
	 */
	const CHECKS = 'wu_async_process_domain_stage';

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'wu_register_capabilities', array( self::class, 'replace_capability' ), PHP_INT_MAX );
		add_action( 'wp_loaded', array( self::class, 'take_out_the_built_in' ), PHP_INT_MIN );
	}

	/**
	 * How the plugin takes the built-in integration's place from now on.
	 *
	 * @return string `registry`, `hooks` or `off`.
	 */
	public static function mode() {
		if ( ! Engine::is_in_charge() ) {
			return 'off';
		}
		return Ultimate_Multisite::has_registry() && Module_Fit::fits() ? 'registry' : 'hooks';
	}

	/**
	 * Put our module in the place of the built-in one.
	 *
	 * @param object $registry Of integrations.
	 */
	public static function replace_capability( $registry ) {
		if ( 'registry' === self::mode() && is_callable( array( $registry, 'add_capability' ) ) ) {
			$registry->add_capability( 'closte', new Domain_Mapping_Module() );
		}
	}

	/**
	 * Without a registry the built-in acts by itself; and its checks run in any case.
	 */
	public static function take_out_the_built_in() {
		if ( ! Engine::is_in_charge() ) {
			return;
		}
		foreach ( self::HOOKS as $hook ) {
			self::remove( $hook, 'Closte' );
		}
		self::remove( self::CHECKS, '' );
		// What was scheduled earlier fails loudly where nobody listens to it.
		add_action( self::CHECKS, '__return_null' );
	}

	/**
	 * Remove Ultimate Multisite's own callbacks.
	 *
	 * @param string $hook  From which hook.
	 * @param string $class A part of the name of their class.
	 */
	private static function remove( $hook, $class ) {
		global $wp_filter;
		$callbacks = isset( $wp_filter[ $hook ] ) ? $wp_filter[ $hook ]->callbacks : array();
		foreach ( $callbacks as $priority => $all ) {
			foreach ( $all as $callback ) {
				$name = self::class_of( $callback['function'] );
				if ( 0 === stripos( $name, 'WP_Ultimo\\' ) && ( '' === $class || false !== stripos( $name, $class ) ) ) {
					remove_action( $hook, $callback['function'], $priority );
				}
			}
		}
	}

	/**
	 * The class that a callback belongs to.
	 *
	 * @param mixed $callback As it was hooked.
	 * @return string Empty for none.
	 */
	private static function class_of( $callback ) {
		if ( $callback instanceof \Closure ) {
			$scope = ( new \ReflectionFunction( $callback ) )->getClosureScopeClass();
			return null === $scope ? '' : $scope->getName();
		}
		$owner = is_array( $callback ) ? reset( $callback ) : $callback;
		return is_object( $owner ) ? get_class( $owner ) : ltrim( (string) strstr( "$owner::", '::', true ), '\\' );
	}
}
